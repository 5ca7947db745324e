// Command preview serves the console with made-up data, for working on its pages:
//
//	go run ./console/preview [-addr 127.0.0.1:8471] [-empty]
//
// Nothing behind it computes; a day (day.go) makes up figures that look like a
// small retailer's afternoon and moves them on.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "preview:", err)
		os.Exit(1)
	}
}

func run() error {
	addr := flag.String("addr", "127.0.0.1:8471", "address to serve on")
	empty := flag.Bool("empty", false, "show the empty states")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	backend := &consoletest.Backend{}
	server, err := console.NewServer(console.Config{
		Addr: *addr, Backend: backend, Registry: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Version: "preview",
	})
	if err != nil {
		return err
	}
	fmt.Println("console at", server.URL())

	day := newDay(backend)
	if *empty {
		backend.SetOverview(day.overview(0))
		return server.Run(ctx)
	}
	day.begin()
	done := make(chan struct{})
	go func() {
		defer close(done)
		day.goOn(ctx)
	}()
	err = server.Run(ctx)
	stop()
	<-done
	return err
}
