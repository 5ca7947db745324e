package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/inventory"
)

type demoCmd struct {
	nodeFlags
	Data   string  `help:"Folder to keep; without one, everything is gone when the demo ends." placeholder:"DIR" type:"path"`
	Seed   uint64  `help:"Of the simulation." default:"1"`
	Stores int     `help:"Number of stores." default:"6"`
	SKUs   int     `name:"skus" help:"Number of SKUs." default:"120"`
	Days   int     `help:"Simulated days up to now." default:"4"`
	Speed  float64 `help:"Simulated seconds a second on the way to now; 0 is flat out." default:"7200"`
	Exit   bool    `help:"Stop when now is reached, instead of going on at the clock's speed."`
}

// ownFolder gives the demo a folder of its own, unless one was asked for, and returns
// what removes it.
func (c *demoCmd) ownFolder() (remove func() error, err error) {
	if c.Data != "" {
		return func() error { return nil }, nil
	}
	c.Data, err = os.MkdirTemp("", "holdfast-demo-")
	return func() error { return os.RemoveAll(c.Data) }, err
}

func (c *demoCmd) Run(t *terminal) (err error) {
	if c.Days < 1 || c.Days > 60 || c.Stores < 1 || c.Stores > 99 || c.SKUs < 6 || c.SKUs > 5000 {
		return usageError{errors.New("1 to 60 days, 1 to 99 stores and 6 to 5000 SKUs can be simulated")}
	}
	remove, err := c.ownFolder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	n, err := startNode(t.ctx, &c.nodeFlags, c.Data, true, t.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	n.greet(t, &c.nodeFlags)
	if err := n.setPolicy(t); err != nil {
		return err
	}

	now := inventory.MillisOf(time.Now())
	start := now - now%inventory.Day - inventory.Millis(c.Days)*inventory.Day
	d := &demo{
		terminal: t,
		node:     n,
		sim:      sim.New(sim.Config{Seed: c.Seed, Start: start, Stores: c.Stores, SKUs: c.SKUs}),
	}
	t.say("%d stores and a distribution centre, %d SKUs, %d days up to now at %g times the clock's speed (seed %d)\n", c.Stores, c.SKUs, c.Days, c.Speed, c.Seed)

	listening, stop := context.WithCancel(t.ctx)
	var listener sync.WaitGroup
	listener.Go(func() { d.listen(listening, c.Prefix) })
	err = d.play(t.ctx, start, now, c.Speed)
	if err == nil {
		err = n.processor.Settle(t.ctx)
	}
	if err == nil {
		err = d.summary(n)
	}
	if err == nil && !c.Exit {
		d.furtherOn(c.HTTP)
		err = d.play(t.ctx, now, 0, 1)
	}
	stop()
	listener.Wait()
	if t.ctx.Err() != nil {
		err = nil // ctrl-C is how a demo ends
	}
	return errors.Join(err, d.failed)
}

// demo plays a simulated network into a node and shows what comes of it.
type demo struct {
	terminal *terminal
	node     *node
	failed   error // of listen; read when it has ended

	mu    sync.Mutex // of sim and holds
	sim   *sim.Sim
	holds map[string]int // by class
	right int            // phantom holds at whose event time nothing could be found

	next    inventory.Delta // taken from sim, not published yet
	arrives inventory.Millis
	hasNext bool
	deltas  int
}

// play publishes what arrives before end at a multiple of the clock's speed; end 0 is never.
func (d *demo) play(ctx context.Context, from, end inventory.Millis, speed float64) error {
	pace := pacer{began: time.Now(), first: from}
	bar := newProgress(d.terminal, int(max(end-from, 0)/inventory.Minute), "min")
	defer func() { _ = bar.Finish() }()
	for {
		if !d.hasNext {
			d.mu.Lock()
			d.next, d.arrives = d.sim.Next()
			d.mu.Unlock()
			d.hasNext = true
		}
		if end > 0 && d.arrives >= end {
			return d.node.producer.Flush(ctx)
		}
		if speed > 0 {
			if err := pace.wait(ctx, d.arrives, speed); err != nil {
				return err
			}
		}
		if err := d.node.producer.Publish(ctx, &d.next); err != nil {
			return err
		}
		d.hasNext = false
		if d.deltas++; d.deltas%256 == 0 {
			_ = bar.Set(int((d.arrives - from) / inventory.Minute))
		}
	}
}

// listen shows commands as a subscriber gets them, and lets the network obey.
func (d *demo) listen(ctx context.Context, prefix string) {
	standing := map[string]bool{} // exceptions that were shown
	for update, err := range client.Commands(ctx, d.node.nc, client.Prefix(prefix)) {
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			d.failed = err
			return
		}
		c := &update.Command
		d.mu.Lock()
		d.sim.Obey(c)
		first := !standing[c.Exception]
		if c.Action == inventory.Hold && first {
			if d.holds == nil {
				d.holds = map[string]int{}
			}
			d.holds[string(c.Class)]++
			if c.Class == inventory.PhantomInventory && d.sim.Empty(inventory.Key{SKU: c.SKU, Location: c.Location}, c.EventTime) {
				d.right++
			}
		}
		d.mu.Unlock()
		standing[c.Exception] = true
		if first || d.terminal.json {
			if err := printCommand(d.terminal, c); err != nil {
				d.failed = err
				return
			}
		}
	}
}

// summary says what was found, and how much of it was so.
func (d *demo) summary(n *node) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	faults := map[string]int{}
	for _, f := range d.sim.Faults() {
		faults[string(f.Kind)]++
	}
	tally := n.processor.Tally()
	s := struct {
		Deltas int            `json:"deltas"`
		Faults map[string]int `json:"faults"`
		tallySummary
	}{d.deltas, faults, newTallySummary(&tally)}
	if d.terminal.json {
		return d.terminal.print(s, "")
	}
	d.terminal.say("\n%d deltas published; what went wrong in the simulated world: %s", d.deltas, list(faults))
	s.tallySummary.print(d.terminal)
	for _, class := range slices.Sorted(maps.Keys(d.holds)) {
		note := ""
		if class == string(inventory.PhantomInventory) {
			note = fmt.Sprintf("; at %d of them nothing was to be found at that moment", d.right)
		}
		d.terminal.say("%d holds for %s%s", d.holds[class], class, note)
	}
	return nil
}

// furtherOn says where to look.
func (d *demo) furtherOn(http string) {
	d.terminal.say(`
The network goes on at the clock's speed. Look further:
  %s                                  the console
  curl '%sv1/exceptions?limit=3'      what is wrong, worst exposure first
  curl '%sv1/atp/tee-102'             what can be promised
  curl -N '%sv1/commands/stream'      commands as they come
  bin/holdfast exceptions, bin/holdfast atp mug-101, bin/holdfast watch
ctrl-C ends it.
`, d.node.web.URL(), d.node.web.URL(), d.node.web.URL(), d.node.web.URL())
}
