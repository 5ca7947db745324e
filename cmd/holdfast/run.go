package main

import "errors"

type runCmd struct {
	nodeFlags
	dataFlag
}

func (c *runCmd) Run(t *terminal) error {
	n, err := startNode(t.ctx, &c.nodeFlags, c.Data, true, t.log)
	if err != nil {
		return err
	}
	n.greet(t, &c.nodeFlags)
	if err = n.setPolicy(t); err == nil {
		err = n.serve(t.ctx)
	} else if t.ctx.Err() != nil {
		err = nil // told to stop while it caught up
	}
	t.say("stopping: committing and handing over")
	return errors.Join(err, n.close())
}
