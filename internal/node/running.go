package node

import (
	"context"
	"errors"
	"sync"
	"time"
)

// running is what exists only while Run does.
type running struct {
	ctx   context.Context
	tasks sync.WaitGroup
}

// Run connects the node with others until ctx ends.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &running{ctx: ctx}
	defer r.tasks.Wait()
	defer cancel()
	defer close(n.stopping)
	n.mu.Lock()
	n.running = r
	n.mu.Unlock()
	if err := n.openLinks(r); err != nil {
		n.closeLinks()
		return err
	}
	n.mu.Lock()
	for _, o := range n.owners {
		n.runOwner(o)
	}
	n.mu.Unlock()
	close(n.begun)
	r.tasks.Go(func() { n.giveTurns(ctx) })
	n.openDirects()
	r.tasks.Go(func() { n.dialing(ctx) })
	r.tasks.Go(func() { n.attending(ctx) })
	r.tasks.Go(func() { n.watchClocks(ctx) })
	r.tasks.Go(func() { n.renewingPackages(ctx) })
	r.tasks.Go(func() { n.indexing(ctx) })
	r.tasks.Go(func() { n.watchRoom(ctx) })
	r.tasks.Go(func() { n.sharing(ctx) })
	r.tasks.Go(func() { n.bringing(ctx) })
	r.tasks.Go(func() { n.finding(ctx) })
	r.tasks.Go(func() { n.mapping(ctx) })
	r.tasks.Go(func() { n.mailing(ctx) })
	if err := n.relayChanged(); err != nil {
		n.log.Error("cannot carry for others", "err", err)
	}
	n.reach()
	n.describeAll()
	<-ctx.Done()
	n.closeLinks()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// runOwner starts the goroutine of o, unless it has one or the node does not run.
// n.mu is held.
func (n *Node) runOwner(o *owner) {
	if o.started || n.running == nil || n.running.ctx.Err() != nil {
		return
	}
	o.started = true
	n.kickDialer()
	ctx := n.running.ctx
	n.running.tasks.Go(func() { o.run(ctx) })
}

// awaitRun reports whether the owners of the groups run, and waits a little if
// they are about to.
func (n *Node) awaitRun() bool {
	select {
	case <-n.begun:
		return true
	default:
	}
	t := time.NewTimer(startWait)
	defer t.Stop()
	select {
	case <-n.begun:
		return true
	case <-n.stopping:
	case <-t.C:
	}
	return false
}

// spawn runs f in a goroutine that Run waits for; false if the node does not run.
func (n *Node) spawn(f func(ctx context.Context)) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil || n.running.ctx.Err() != nil {
		return false
	}
	ctx := n.running.ctx
	n.running.tasks.Go(func() { f(ctx) })
	return true
}
