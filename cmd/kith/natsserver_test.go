package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"
)

// natsServer starts a server for the items of a mailbox until the script ends:
//
//	natsserver HOST:PORT KEY FOLDER
//
// KEY is the one of the mailbox; with "open" in its place it asks nobody for a key.
func natsServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: natsserver HOST:PORT KEY FOLDER")
	}
	host, port, err := net.SplitHostPort(args[0])
	ts.Check(err)
	number, err := strconv.Atoi(port)
	ts.Check(err)
	opts := &server.Options{Host: host, Port: number, JetStream: true, StoreDir: ts.MkAbs(args[2]), NoSigs: true, NoLog: true, ServerName: "one"}
	if args[1] != "open" {
		opts.Nkeys = []*server.NkeyUser{{Nkey: args[1]}}
	}
	ts.Check(os.MkdirAll(filepath.Join(opts.StoreDir), 0o700))
	s, err := server.NewServer(opts)
	ts.Check(err)
	s.Start()
	ts.Defer(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		ts.Fatalf("the server does not start")
	}
}
