package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// counts are what is done while the nodes live.
type counts struct{ messages, cuts, kills, changes int64 }

func (c *counts) add(to *int64) { atomic.AddInt64(to, 1) }

func (c *counts) now() counts {
	return counts{
		atomic.LoadInt64(&c.messages), atomic.LoadInt64(&c.cuts),
		atomic.LoadInt64(&c.kills), atomic.LoadInt64(&c.changes),
	}
}

func (c *counts) reached(want counts) bool {
	is := c.now()
	return is.messages >= want.messages && is.cuts >= want.cuts && is.kills >= want.kills && is.changes >= want.changes
}

// A world is all nodes of one run. The first is the hub: everybody's friend, who
// makes the group. The second is an admin, too. The last are guests, who come
// and go; all others stay.
type world struct {
	dir   string
	lab   *lab
	nodes []*node
	group string // its id
	begun time.Time

	giveUp context.CancelFunc // ends live early
	done   counts
	turns  chan struct{} // each is leave to write one message

	mu      sync.Mutex // guards what follows
	rand    *rand.Rand
	sent    []sent
	stays   []stay
	trouble []string
}

func newWorld(dir, path string) (*world, error) {
	l, err := newLab()
	w := &world{dir: dir, lab: l, turns: make(chan struct{}), rand: rand.New(rand.NewPCG(*seed, 0))}
	for i := 0; i < *nodes && err == nil; i++ {
		name := fmt.Sprintf("n%02d", i+1)
		var log *os.File
		log, err = os.Create(filepath.Join(dir, name+".log"))
		w.nodes = append(w.nodes, &node{
			name: name, home: filepath.Join(dir, "homes", name), space: l.of(name), program: path, lab: l, log: log,
		})
		err = errors.Join(err, l.plug(name, fmt.Sprintf("10.78.%d.%d", i/250, 1+i%250)))
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// close ends what runs, and removes the homes.
func (w *world) close() {
	var all sync.WaitGroup
	for _, n := range w.nodes {
		all.Go(func() {
			n.power.Lock()
			defer n.power.Unlock()
			n.stop()
			n.log.Close()
		})
	}
	all.Wait()
	w.lab.close()
}

func (w *world) version() string {
	out, err := w.hub().kith(context.Background(), "version")
	if err != nil {
		return err.Error()
	}
	first, _, _ := strings.Cut(out, "\n")
	return first
}

func (w *world) hub() *node { return w.nodes[0] }

// guests are a sixth of all.
func (w *world) guests() []*node { return w.nodes[len(w.nodes)-max(2, len(w.nodes)/6):] }

func (w *world) residents() []*node { return w.nodes[:len(w.nodes)-len(w.guests())] }

// draw is a random number below n.
func (w *world) draw(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.IntN(n)
}

// note keeps what went otherwise than it should.
func (w *world) note(format string, args ...any) {
	line := fmt.Sprintf("%5.0f s: ", time.Since(w.begun).Seconds()) + fmt.Sprintf(format, args...)
	fmt.Println(line)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = append(w.trouble, line)
}

var (
	linkText = regexp.MustCompile(`kith:[\w-]+`)
	idText   = regexp.MustCompile(`"id":"([0-9a-f]{64})"`)
)

// gather starts all nodes, makes everybody the hub's friend, and then a member of
// one group.
func (w *world) gather(ctx context.Context) error {
	for _, n := range w.nodes {
		if _, err := n.kith(ctx, "init", "--name", n.name); err != nil {
			return err
		}
		if err := n.start(ctx); err != nil {
			return err
		}
	}
	hub, create := w.hub(), []string{"group", "create", "Soak", "--json"}
	for _, n := range w.nodes[1:] {
		out, err := hub.kith(ctx, "link", "--json")
		if err == nil {
			_, err = n.kith(ctx, "friend", "add", linkText.FindString(out))
		}
		if err == nil {
			err = hub.until(ctx, n.name, "friend", "requests")
		}
		if err == nil {
			_, err = hub.kith(ctx, "friend", "accept", n.name)
		}
		if err == nil {
			err = n.until(ctx, hub.name+" +friend, here now", "friend", "list")
		}
		if err != nil {
			return err
		}
		create = append(create, n.name)
	}
	var out string
	if !poll(ctx, time.Second, func() (ok bool) {
		var err error
		out, err = hub.kith(ctx, create...)
		return err == nil
	}) {
		return fmt.Errorf("the group cannot be made: %s", out)
	}
	w.group = idText.FindStringSubmatch(out)[1]
	for _, n := range w.nodes[1:] {
		if err := all(n.until(ctx, w.group, "group", "list", "--json"), n.manage(ctx, "group", "accept", w.group)); err != nil {
			return err
		}
	}
	for _, n := range w.nodes {
		if err := n.until(ctx, fmt.Sprintf(`("accepted":true.*){%d}`, len(w.nodes)), "group", "show", w.group, "--json"); err != nil {
			return err
		}
		n.writes.Store(true)
	}
	if err := hub.manage(ctx, "group", "promote", w.group, w.nodes[1].name); err != nil {
		return err
	}
	for _, g := range w.guests() {
		w.stay(stay{Node: g.name, From: time.Now()})
	}
	return w.nodes[1].until(ctx, `you +admin`, "group", "show", w.group)
}

// pace gives leave to write, as many times as are wanted and a tenth more, evenly.
func (w *world) pace(ctx context.Context, messages int64) {
	tick := time.NewTicker(*span / time.Duration(messages+messages/10+1))
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if time.Since(w.begun) > *span && w.done.now().messages >= messages {
			return
		}
		select {
		case w.turns <- struct{}{}:
		case <-ctx.Done():
		}
	}
}

// every does something at a pace until the time is over.
func (w *world) every(ctx context.Context, pause time.Duration, do func(context.Context, *sync.WaitGroup)) {
	var begun sync.WaitGroup
	defer begun.Wait()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			do(ctx, &begun)
		case <-ctx.Done():
			return
		}
	}
}

// progress prints where it stands.
func (w *world) progress() {
	is, off, most := w.done.now(), 0, 0
	for _, n := range w.nodes {
		if !n.power.TryLock() {
			off++
			continue
		}
		most = max(most, n.memory())
		n.power.Unlock()
	}
	if free := freeMemory(); free < leastFree {
		w.note("only %d MB of memory are free: it is broken off", free)
		w.giveUp()
	}
	b, _ := os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(b), " ")
	fmt.Printf("%5.0f s: %d messages, %d cuts, %d kills, %d changes of members; off now %d; largest %d MB; load %s\n",
		time.Since(w.begun).Seconds(), is.messages, is.cuts, is.kills, is.changes, off, most, load)
}

// leastFree is how many MB of memory the machine keeps for others.
const leastFree = 2048

func freeMemory() (mb int) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return leastFree
	}
	for line := range strings.Lines(string(b)) {
		if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &mb); err == nil {
			return mb / 1024
		}
	}
	return leastFree
}

// stay begins somebody's time in the group.
func (w *world) stay(s stay) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stays = append(w.stays, s)
}

// change edits the newest stay of somebody.
func (w *world) change(name string, do func(*stay)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.stays) - 1; i >= 0; i-- {
		if w.stays[i].Node == name {
			do(&w.stays[i])
			return
		}
	}
}

// writeLines writes values as JSON lines.
func writeLines[T any](path string, list []T) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	for _, v := range list {
		if err := enc.Encode(v); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}
