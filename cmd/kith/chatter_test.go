package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"kith/internal/api"
	v1 "kith/proto/kith/v1"
)

// chatter sends many messages, "WORD 1" to "WORD N", through a running node: a program for
// each would take most of the time.
func chatter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: chatter NAME CHAT WORD N")
	}
	n, err := strconv.Atoi(args[3])
	ts.Check(err)
	client := api.NewClient(ts.MkAbs(args[0]))
	for i := range n {
		text := fmt.Sprint(args[2], " ", i+1)
		_, err := client.Send(context.Background(), &v1.SendRequest{Chat: args[1], Text: text, ClientId: text})
		ts.Check(err)
	}
}
