package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// settling bounds how long it may take until all have everything; a machine that
// does much else has taken minutes.
const settling = 15 * time.Minute

// some is how many of the newest messages are looked at while it goes on.
const some = 400

// newest returns the ids of the newest messages, oldest first.
func (n *node) newest(ctx context.Context, group string, count int) (ids []string) {
	out, err := n.kith(ctx, "tail", group, "-n", strconv.Itoa(count), "--json")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(out) {
		var m shown
		if json.Unmarshal([]byte(line), &m) == nil {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func (n *node) has(ctx context.Context, group, id string) bool {
	return slices.Contains(n.newest(ctx, group, some), id)
}

// finish has all of them on and together, waits until they have everything, and
// writes what each shows.
func (w *world) finish(ctx context.Context, want counts) error {
	is := w.done.now()
	for _, f := range []struct {
		what      string
		has, want int64
	}{
		{"messages", is.messages, want.messages},
		{"cuts", is.cuts, want.cuts},
		{"kills", is.kills, want.kills},
		{"changes of members", is.changes, want.changes},
	} {
		if f.has < f.want {
			w.note("only %d of %d %s", f.has, f.want, f.what)
		}
	}
	healed := time.Now()
	if err := all(writeLines(filepath.Join(w.dir, "sent.jsonl"), w.sent), writeLines(filepath.Join(w.dir, "stays.jsonl"), w.stays)); err != nil {
		return err
	}
	for {
		if err := w.tails(ctx); err != nil {
			return err
		}
		f, err := check(w.dir)
		if err != nil {
			return err
		}
		if len(f) == 0 || time.Since(healed) > settling {
			fmt.Printf("%.0f s after the last fault: %d faults left\n", time.Since(healed).Seconds(), len(f))
			break
		}
		fmt.Printf("%.0f s after the last fault: %d to come, first %s\n", time.Since(healed).Seconds(), len(f), f[0])
		select {
		case <-time.After(5 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, n := range w.nodes {
		n.power.Lock()
		n.stop()
		n.power.Unlock()
		if n.lost.Load() {
			w.note("%s ended by itself", n.name)
		}
	}
	return writeLines(filepath.Join(w.dir, "trouble.jsonl"), append(w.trouble, w.logged()...))
}

// tails writes what each node shows, two at a time.
func (w *world) tails(ctx context.Context) error {
	var all sync.WaitGroup
	errs := make([]error, len(w.nodes))
	slots := make(chan struct{}, 2)
	for i, n := range w.nodes {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			out, err := n.kith(ctx, "tail", w.group, "-n", "1000000", "--json")
			if err == nil {
				err = os.WriteFile(filepath.Join(w.dir, n.name+".tail"), []byte(out), 0o600)
			}
			errs[i] = err
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// logged is what the programs said that they should not have to: honest nodes
// break no rules and find no fault in themselves.
func (w *world) logged() (list []string) {
	for _, n := range w.nodes {
		b, err := os.ReadFile(filepath.Join(w.dir, n.name+".log"))
		if err != nil {
			return []string{err.Error()}
		}
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, "level=ERROR") || strings.Contains(line, "broke a rule") || strings.Contains(line, "panic") {
				list = append(list, n.name+" logged: "+strings.TrimSpace(line))
			}
		}
	}
	return list
}
