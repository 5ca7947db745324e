package access

import (
	"fmt"
	"strings"
)

// Role is what somebody may do. Each includes those below it.
type Role uint8

// The roles, from least to most. Anyone is who shows no token.
const (
	Anyone   Role = iota
	Reader        // may look at everything
	Operator      // may also send deltas, and assign exceptions
	Approver      // may also approve, reject and resolve them
	Admin         // may also look into the process
)

var roleNames = []string{Anyone: "anyone", Reader: "reader", Operator: "operator", Approver: "approver", Admin: "admin"}

func (r Role) String() string { return roleNames[r] }

// Allows reports whether r may do what needs a role.
func (r Role) Allows(needs Role) bool { return r >= needs }

// ParseRole reads the name of a role that a token can have, which Anyone is not.
func ParseRole(name string) (Role, error) {
	for r := Reader; r <= Admin; r++ {
		if roleNames[r] == name {
			return r, nil
		}
	}
	return Anyone, fmt.Errorf("there is no role %q; there are %s", name, strings.Join(roleNames[Reader:], ", "))
}
