// Package control is what people send through the log beside deltas: their decisions about exceptions, policies, and master data.
//
// A control message is one JSON object, published to <prefix>.control.<partition>. It has a
// subject of its own so that NATS permissions can keep whoever may send deltas from deciding, and the stream of the
// partition's deltas, so that it has one place among them: every replay decides at the same moment.
//
//	{"id":"…","kind":"decision","exception":"x3-17-0-0","action":"approve","by":"kim","note":"…","time":"2026-11-24T09:30:00Z"}
//
//	{"id":"…","kind":"policy","by":"kim","policy":"name: …\nclasses: …"}
//
//	{"id":"…","kind":"master","by":"kim","skus":[{"sku":"tea","category":"drinks","price":499,"margin":120,"lead_hours":72}],
//	 "locations":[{"location":"leeds","region":"north"}]}
//
// A policy is sent to every partition, and takes effect at one place in each; so do locations of master data, and SKUs in their partition. What is not exactly that is refused, as a delta would be: a field that is not known, one that is given twice, anything
// behind the object. A message whose id was applied before changes nothing.
//
// The package is pure. It reads no clock and knows nothing of what a decision does: that is package engine's business.
package control
