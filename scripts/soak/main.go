// Command soak lets many nodes live together for a while, each a process of the
// real program on a network of its own, while cables are cut, programs are
// killed and members come and go; and looks afterwards whether all who may read
// a message have it, once, in one order.
//
//	go run ./scripts/soak -kith bin/kith -for 15m -nodes 20
//
// It needs root on Linux, for network namespaces. What it did is kept in the
// folder of -keep, or where there is a fault: what was sent, who may read what,
// what each node shows, and the homes. The checker knows no more than what was
// sent and shown; soak -check FOLDER runs it again.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A whole soak, of which a shorter one has its share.
const (
	wholeTime     = 15 * time.Minute
	wholeMessages = 20_000
	wholeCuts     = 100
	wholeKills    = 100
	wholeChanges  = 30
)

var (
	program = flag.String("kith", "bin/kith", "the program")
	span    = flag.Duration("for", wholeTime, "how long")
	nodes   = flag.Int("nodes", 20, "how many nodes, 6 to 200")
	seed    = flag.Uint64("seed", uint64(time.Now().Unix()), "of what is drawn; processes do not repeat themselves all the same")
	keep    = flag.String("keep", "", "folder of what it did, which must not be there; default: one for the time, removed when all is well")
	recheck = flag.String("check", "", "check what an earlier run kept in this folder, and do nothing else")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
	}
	if !ok {
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) (ok bool, err error) {
	if *recheck != "" {
		return report(*recheck)
	}
	if reason := lacking(); reason != "" {
		fmt.Println("soak: left out: " + reason)
		return true, nil
	}
	dir, temporary := *keep, *keep == ""
	if temporary {
		dir, err = os.MkdirTemp("", "kith-soak-")
	} else {
		err = os.Mkdir(dir, 0o700)
	}
	if err != nil {
		return false, err
	}
	path, err := filepath.Abs(*program)
	if err != nil {
		return false, err
	}
	if err := soak(ctx, dir, path); err != nil {
		return false, fmt.Errorf("%w; what there is: %s", err, dir)
	}
	ok, err = report(dir)
	if ok && temporary {
		return ok, os.RemoveAll(dir)
	}
	fmt.Println("kept in", dir)
	return ok, err
}

// lacking is what this machine cannot do, if anything.
func lacking() string {
	if _, err := exec.LookPath("ip"); err != nil {
		return "ip is missing (install the package iproute2)"
	}
	name := fmt.Sprintf("kithtry%d", os.Getpid())
	defer exec.Command("ip", "netns", "del", name).Run()
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		return fmt.Sprintf("no network namespace can be made here (needs root): %s", out)
	}
	if out, err := exec.Command("ip", "-n", name, "link").CombinedOutput(); err != nil {
		return fmt.Sprintf("network namespaces cannot be entered here: %s", out)
	}
	return ""
}

// soak plays the whole story and writes what the checker reads.
func soak(ctx context.Context, dir, path string) error {
	if *nodes < 6 || *nodes > 200 {
		return fmt.Errorf("%d nodes: 6 to 200", *nodes)
	}
	w, err := newWorld(dir, path)
	if err != nil {
		return err
	}
	defer w.close()
	begun := time.Now()
	if err := w.gather(ctx); err != nil {
		return err
	}
	fmt.Printf("soak: %d nodes in one group after %.0f s; seed %d, %s\n", *nodes, time.Since(begun).Seconds(), *seed, w.version())

	share := float64(*span) / float64(wholeTime)
	want := counts{
		messages: int64(wholeMessages * share), cuts: int64(wholeCuts*share) + 1,
		kills: int64(wholeKills*share) + 1, changes: int64(wholeChanges*share) + 2,
	}
	w.live(ctx, want)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return w.finish(ctx, want)
}

// live runs everything at once until the time is over and all has been done that
// was wanted, or half as long again.
func (w *world) live(ctx context.Context, want counts) {
	ctx, cancel := context.WithTimeout(ctx, *span*3/2)
	defer cancel()
	w.begun, w.giveUp = time.Now(), cancel
	var all sync.WaitGroup
	for _, n := range w.nodes {
		all.Go(func() { w.write(ctx, n) })
	}
	all.Go(func() { w.pace(ctx, want.messages) })
	all.Go(func() { w.every(ctx, *span/time.Duration(want.cuts+want.cuts/10+1), w.cutSomebody) })
	all.Go(func() { w.every(ctx, *span/time.Duration(want.kills+want.kills/10+1), w.killSomebody) })
	all.Go(func() { w.every(ctx, 45*time.Second, w.rename) })
	all.Go(func() { w.every(ctx, 60*time.Second, w.promote) })
	for _, g := range w.guests() {
		all.Go(func() { w.comeAndGo(ctx, g) })
	}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-tick.C:
			w.progress()
		case <-ctx.Done():
		}
		done = ctx.Err() != nil || time.Since(w.begun) > *span && w.done.reached(want)
	}
	cancel()
	all.Wait()
	w.progress()
}
