package main

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// TestASilentServerIsTriedAgain: a broker that recovers its streams takes connections before it says anything.
func TestASilentServerIsTriedAgain(t *testing.T) {
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		silent, err := at.Accept()
		if err == nil {
			defer silent.Close()
			err = greet(at)
		}
		served <- err
	}()
	nc, err := dial("nats://"+at.Addr().String(), "test", nats.Timeout(50*time.Millisecond), nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}

	// One that is not there is tried once.
	at.Close()
	if _, err := dial("nats://"+at.Addr().String(), "test"); err == nil || !strings.Contains(err.Error(), "start one with holdfast run") {
		t.Errorf("connected to nobody with %v", err)
	}
}

// greet is the next connection's server, until it hangs up.
func greet(at net.Listener) error {
	c, err := at.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte("INFO {\"server_id\":\"test\",\"version\":\"2.12.0\",\"headers\":true,\"max_payload\":1048576}\r\n")); err != nil {
		return err
	}
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if lines.Text() == "PING" {
			if _, err := c.Write([]byte("PONG\r\n")); err != nil {
				return err
			}
		}
	}
	return nil
}
