// Package client is the Go SDK of holdfast: a [Producer] for systems that
// report changes of inventory, and [Commands] for channels that obey holds,
// throttles and releases.
//
// It knows the vocabulary (package inventory) and the bytes on the wire (package
// codec) and nothing of the engine; any NATS client in any language can do the
// same by the contract.
//
// # Producing
//
//	p, err := client.NewProducer(nc)
//	…
//	err = p.Publish(ctx, &inventory.Delta{ID: "1", Source: "pos-117", …})
//	…
//	err = p.Close(ctx) // waits until JetStream has acknowledged everything
//
// Each partition has a lane with exactly one message in flight. While it is in
// flight the next one fills, so a message carries one delta when there is little
// to do and hundreds when there is much: no linger to tune, no latency for the
// quiet, and the deltas of one SKU reach the log in the order of the calls.
//
// # What is promised
//
// Publish says nothing about delivery; [Producer.Flush], [Producer.PublishAll] and
// [Producer.Close] do: when they return nil, JetStream has stored all that they
// cover. A message is sent again while its outcome is unknown. That may store it
// twice, and it is safe: the engine knows a delta by source and id and takes the
// second for a duplicate. For the same reason a program that died before it saw
// its acknowledgements sends the same deltas, with the same ids, again.
//
// # Obeying
//
//	for u, err := range client.Commands(ctx, nc, client.Channels("web")) {
//		if err != nil {
//			return err
//		}
//		show(u.Command.SKU, u.Command.Sellable)
//	}
//
// The loop sees first what is in force, then each command as it comes, without a
// gap between the two, and never one that another has overtaken. See [Commands].
//
// # What it never does
//
// It creates no streams and no buckets, closes no connection that it was given,
// reads no clock into a delta, and drops nothing silently.
package client
