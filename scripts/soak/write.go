package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"
)

// write sends lines of a node as long as it may, by one kith send after the
// other: each ends with the node.
func (w *world) write(ctx context.Context, n *node) {
	for number := 0; ctx.Err() == nil; {
		w.sendSome(ctx, n, &number)
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// sendSome runs one kith send, and returns when it ends.
func (w *world) sendSome(ctx context.Context, n *node, number *int) {
	cmd := exec.Command(n.program, "--home", n.home, "send", w.group, "--lines", "--json")
	in, err := cmd.StdinPipe()
	if err != nil {
		return
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return
	}
	if err := cmd.Start(); err != nil {
		w.note("%s: %v", n.name, err)
		return
	}
	defer cmd.Wait()
	defer in.Close()
	answers := bufio.NewReader(out)
	for {
		select {
		case <-w.turns:
		case <-ctx.Done():
			return
		}
		if !w.sendOne(n, number, in, answers) {
			return
		}
	}
}

// sendOne writes one message, and keeps the id that is printed of it. Nobody is
// asked to have a message of which none was printed: the program was killed.
func (w *world) sendOne(n *node, number *int, in io.Writer, answers *bufio.Reader) bool {
	n.mute.Lock()
	defer n.mute.Unlock()
	if !n.writes.Load() {
		return false
	}
	*number++
	text := fmt.Sprintf("%s writes %d", n.name, *number)
	if _, err := fmt.Fprintln(in, text); err != nil {
		return false
	}
	line, err := answers.ReadBytes('\n')
	if err != nil {
		return false
	}
	var m shown
	if err := json.Unmarshal(line, &m); err != nil {
		w.note("%s: kith send printed %.200s", n.name, line)
		return false
	}
	w.mu.Lock()
	w.sent = append(w.sent, sent{ID: m.ID, By: n.name, Text: text, At: time.Now(), Held: m.State == "held", Guest: slices.Contains(w.guests(), n)})
	w.mu.Unlock()
	w.done.add(&w.done.messages)
	return true
}
