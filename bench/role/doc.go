// Package role is what plays in the processes of a measurement: the broker, holdfast, the
// driver, what fills streams beforehand, the references, and a subscriber that hangs. Each role
// has a configuration, says when it is ready, and answers the questions that stand beside it.
// Package bench writes the play; package process gives each role its stage.
package role
