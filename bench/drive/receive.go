package drive

import (
	"bytes"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// receive hears the commands of a deployment as soon as they are published to their stream, and takes the holds
// of probes in. The subscription stands when it returns. It ends with the connection.
func receive(nc *nats.Conn, prefix, probes string, r *record) error {
	const (
		hold      = ".hold" // the end of each hold's subject
		bytesMost = 1 << 30 // that wait for us; a storm has some 100 MB
	)
	sku := []byte(probes)
	sub, err := nc.Subscribe(prefix+".command.>", func(msg *nats.Msg) {
		came := time.Now()
		probe, ok := probeIn(msg.Data, sku)
		if ok && strings.HasSuffix(msg.Subject, hold) {
			r.hold(came, probe)
		} else {
			r.other()
		}
	})
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(-1, bytesMost); err != nil {
		return err
	}
	return nc.Flush()
}

// probeIn returns the number of the probe that a command is for. The SKU stands in it as it is, in
// JSON and in msgpack, before whatever else may name it: decoding would tell nothing more, and cost
// ten times as much.
func probeIn(command, sku []byte) (number uint64, ok bool) {
	i := bytes.Index(command, sku)
	if i < 0 {
		return 0, false
	}
	for _, c := range command[i+len(sku):] {
		if c < '0' || c > '9' {
			break
		}
		number, ok = number*10+uint64(c-'0'), true
	}
	return number, ok
}
