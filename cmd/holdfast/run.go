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
	err = n.serve(t.ctx)
	t.say("stopping: committing and handing over")
	return errors.Join(err, n.close())
}
