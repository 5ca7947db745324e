// Package access says who somebody is and what they may do: roles, tokens, the file that
// lists them, and how often an address may be wrong.
//
// # Tokens
//
// A token is 256 random bits, written as hf_ and 43 letters of base64url. The file holds the
// SHA-256 of each, never the token:
//
//   - {name: amazon-feed, role: reader, hash: "sha256:9f86…"}
//
// A plain SHA-256 is right here, where for passwords it would not be. Slow, salted hashes
// protect what people can remember, which is little enough to be tried out. Nobody tries out
// 2^256 tokens, whatever a try costs, and no two tokens are the same, so there is nothing for a salt to
// tell apart. A slow hash would only make each request cost what an attacker wants it to cost.
//
// A token is compared by its hash with every line of the file, in constant time and to the
// last line, so that the time of an answer says neither which line it was near nor how near.
//
// # Roles
//
// Each role may do what those below it may: reader, operator, approver, admin. Which call
// needs which is said where the calls are.
//
// # Being wrong
//
// [Attempts] bounds how often an address is told that it is wrong. A token that is right
// passes all the same: guessing is hopeless anyway, and whoever shares an address with
// somebody who guesses, as behind a proxy, must not be shut out by it.
package access
