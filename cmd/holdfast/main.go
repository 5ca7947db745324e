package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line.
type cli struct {
	Config configFile `help:"YAML file with any of the flags as keys." placeholder:"FILE"`
	JSON   bool       `help:"Print JSON, one value a line, for programs." name:"json"`
	Quiet  bool       `help:"Log errors only." short:"q"`

	Run        runCmd        `cmd:"" help:"Run everything on this machine: NATS, state, HTTP and console."`
	Demo       demoCmd       `cmd:"" help:"Run, with a simulated store network and its faults."`
	Simulate   simulateCmd   `cmd:"" help:"Write the deltas of a simulated store network, and apart what was really so."`
	Replay     replayCmd     `cmd:"" help:"Put the UCI Online Retail file through JetStream and the engine."`
	Publish    publishCmd    `cmd:"" help:"Publish deltas from a file or standard input."`
	Watch      watchCmd      `cmd:"" help:"Print commands as they come."`
	ATP        atpCmd        `cmd:"" name:"atp" help:"Say what can be promised of a SKU."`
	Exceptions exceptionsCmd `cmd:"" help:"List exceptions, worst exposure first."`
	Approve    approveCmd    `cmd:"" help:"Decide about an exception: approve, reject or resolve it, or assign it to somebody."`
	Explain    explainCmd    `cmd:"" help:"Say why a command was given or an exception opened: inputs, state before and after, rule, policy."`
	Backtest   backtestCmd   `cmd:"" help:"Say what a policy would have done with the logged past, next to what was done."`
	Counts     countsCmd     `cmd:"" help:"List what a location should count first."`
	Risk       riskCmd       `cmd:"" help:"List where more may be promised in the next hours than can be found."`
	Master     masterCmd     `cmd:"" help:"Set what is known of SKUs and locations beside their stock: category, price, region and more."`
	Policy     policyCmd     `cmd:"" help:"Check a policy file, or show the policy in force."`
	Bench      benchCmd      `cmd:"" help:"Measure what this machine can do."`
	Token      tokenCmd      `cmd:"" help:"Make tokens for the HTTP API."`
	Doctor     doctorCmd     `cmd:"" help:"Say what is wrong with folders, streams and positions, and what to do; repair what is safe."`
	Version    versionCmd    `cmd:"" help:"Print the version."`

	BenchProcess benchProcessCmd `cmd:"" name:"bench-process" hidden:""`
}

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the program with its surroundings as arguments.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("holdfast"),
		kong.Description("Finds oversell and phantom stock in milliseconds, and tells the channels to hold."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.DefaultEnvars("HOLDFAST"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic(err) // the struct tags above are wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited >= 0: // --help
		return exited
	case err != nil:
		fmt.Fprintf(stderr, "holdfast: %v; see holdfast --help\n", err)
		return exitUsage
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	level := slog.LevelInfo
	if c.Quiet {
		level = slog.LevelError
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log)
	err = parsed.Run(&terminal{ctx: ctx, in: stdin, out: stdout, err: stderr, json: c.JSON, log: log})

	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "holdfast: %v; see holdfast %s --help\n", err, parsed.Command())
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "holdfast: interrupted")
		return exitFailed
	}
	fmt.Fprintf(stderr, "holdfast: %v\n", err)
	return exitFailed
}
