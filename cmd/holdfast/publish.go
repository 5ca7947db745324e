package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

type publishCmd struct {
	natsFlags
	NATSPort   int    `name:"nats-port" help:"Port of a holdfast run on this machine." default:"4222"`
	Partitions int    `help:"Number of partitions; 0 asks the server, where its user may not ask, say it."`
	File       string `arg:"" optional:"" help:"JSON objects one a line, a JSON array, or msgpack; - is standard input." default:"-"`
}

// published is the answer of publish.
type published struct {
	Accepted int `json:"accepted"`
	Rejected int `json:"rejected"`
}

func (c *publishCmd) Run(t *terminal) error {
	in := t.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	nc, err := c.dial(c.clientURL(c.NATSPort), "holdfast publish")
	if err != nil {
		return err
	}
	defer nc.Close()
	producer, err := client.NewProducer(nc, client.Prefix(c.Prefix), client.Partitions(c.Partitions))
	if err != nil {
		return err
	}
	var done published
	err = readDeltas(in, func(d *inventory.Delta, where string, bad error) error {
		if bad == nil {
			bad = producer.Publish(t.ctx, d)
		}
		var invalid *inventory.Invalid
		switch {
		case errors.As(bad, &invalid):
			done.Rejected++
			fmt.Fprintf(t.err, "%s: %s\n", where, safe(invalid.Error()))
			return nil
		case bad != nil:
			return bad
		}
		done.Accepted++
		return nil
	})
	closing, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), closeMax)
	defer cancel()
	if err := errors.Join(err, producer.Close(closing)); err != nil {
		return err
	}
	if err := t.print(done, "%d deltas stored, %d refused", done.Accepted, done.Rejected); err != nil {
		return err
	}
	if done.Rejected > 0 {
		return fmt.Errorf("%d deltas were not published: mend them as said above and publish the file again, what is stored already is known by its id", done.Rejected)
	}
	return nil
}

// publishLineBytesMax bounds a line of JSON: the greatest delta that validates is 5 KiB.
const publishLineBytesMax = 1 << 20

// readDeltas calls each with every item of in and where it stands. The delta is good until each
// returns. The first byte tells the form: an array and msgpack are read whole, lines one by one.
func readDeltas(in io.Reader, each func(d *inventory.Delta, where string, bad error) error) error {
	r := bufio.NewReaderSize(in, 64<<10)
	first, err := firstByte(r)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	if first == '{' {
		return readLines(r, each)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	var batch codec.Batch
	if first != '[' {
		batch.Decode(all)
	} else if err := batch.DecodeJSONArray(all); err != nil {
		return err
	}
	return eachOf(&batch, "item", 1, each)
}

func firstByte(r *bufio.Reader) (byte, error) {
	for {
		c, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, r.UnreadByte()
		}
	}
}

func readLines(r io.Reader, each func(*inventory.Delta, string, error) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), publishLineBytesMax)
	var batch codec.Batch
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		batch.Reset()
		batch.Decode(line)
		if err := eachOf(&batch, "line", n, each); err != nil {
			return err
		}
	}
	return lines.Err()
}

// eachOf calls each for the batch's items. Lines are numbered by line, other items by themselves.
func eachOf(batch *codec.Batch, unit string, number int, each func(*inventory.Delta, string, error) error) error {
	bad := batch.Bad
	for i := range batch.Deltas {
		where := fmt.Sprintf("%s %d", unit, number)
		if unit != "line" {
			number++
		}
		var why error
		if len(bad) > 0 && bad[0].Index == i {
			why, bad = bad[0].Err, bad[1:]
		}
		if err := each(&batch.Deltas[i], where, why); err != nil {
			return err
		}
	}
	return nil
}
