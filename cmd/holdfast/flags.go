package main

import (
	"time"

	"github.com/holdfast-atp/holdfast/stream"
)

// nodeFlags are those of every subcommand that runs partitions.
type nodeFlags struct {
	natsFlags
	httpFlags
	Partitions int           `help:"Number of partitions; fixed when a deployment is created." default:"16"`
	Replicas   int           `help:"Replicas of every stream: 1, 3 or 5." default:"1"`
	NATSPort   int           `name:"nats-port" help:"Port of the embedded server; 0 takes a free one." default:"4222"`
	Sync       string        `help:"Of the embedded server: always syncs to disk before it acknowledges; lazy syncs every two minutes, and a power cut loses what was acknowledged since." enum:"always,lazy" default:"always"`
	Retention  time.Duration `help:"How long deltas and outputs are kept; 0 is for ever." default:"336h"`
	Policy     policyFile    `help:"File of the policy (YAML): sent through the log of each partition where another is in force. Without it what is in force stays." placeholder:"FILE"`
	Cache      byteSize      `help:"Memory for records, dedupe and Pebble's cache, for all partitions together." default:"512MiB"`
	Commands   struct {
		Encoding string `help:"Encoding of commands: json or msgpack." enum:"json,msgpack" default:"json"`
	} `embed:"" prefix:"commands-"`
}

// dataFlag says where everything is kept.
type dataFlag struct {
	Data string `help:"Folder of the state, and of the embedded server's streams." default:"./holdfast-data" type:"path"`
}

// embeddedPort is the port as the embedded server takes it, for whom 0 is the default one.
func (f *nodeFlags) embeddedPort() int {
	if f.NATSPort == 0 {
		return -1
	}
	return f.NATSPort
}

func (f *nodeFlags) topology() stream.Topology {
	return stream.Topology{
		Prefix:       f.Prefix,
		Partitions:   f.Partitions,
		Replicas:     f.Replicas,
		DeltaMaxAge:  f.Retention,
		OutputMaxAge: f.Retention,
	}
}
