package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// cutSomebody cuts the cable of a node for one to eight seconds, in the background.
func (w *world) cutSomebody(ctx context.Context, begun *sync.WaitGroup) {
	n := w.nodes[w.draw(len(w.nodes))]
	length := time.Second + time.Duration(w.draw(7000))*time.Millisecond
	if !n.cable.TryLock() {
		return
	}
	begun.Go(func() {
		defer n.cable.Unlock()
		if err := w.lab.cut(n.name); err != nil {
			w.note("%v", err)
			return
		}
		w.done.add(&w.done.cuts)
		select {
		case <-time.After(length):
		case <-ctx.Done():
		}
		if err := w.lab.heal(n.name); err != nil {
			w.note("%v", err)
		}
	})
}

// killSomebody kills a node and starts it again after up to three seconds.
func (w *world) killSomebody(ctx context.Context, begun *sync.WaitGroup) {
	n := w.nodes[w.draw(len(w.nodes))]
	length := time.Duration(w.draw(3000)) * time.Millisecond
	if !n.power.TryLock() {
		return
	}
	begun.Go(func() {
		defer n.power.Unlock()
		n.kill()
		w.done.add(&w.done.kills)
		select {
		case <-time.After(length):
		case <-ctx.Done():
		}
		if err := n.start(context.WithoutCancel(ctx)); err != nil {
			w.note("%s does not start again: %v", n.name, err)
		}
	})
}

// rename has the second admin change the title, whatever else goes on: so the
// group goes two ways now and then.
func (w *world) rename(ctx context.Context, _ *sync.WaitGroup) {
	_, _ = w.nodes[1].kith(ctx, "group", "rename", w.group, fmt.Sprintf("Soak %d", w.draw(1000)))
}

// promote has the hub make the third an admin, or a member again.
func (w *world) promote(ctx context.Context, _ *sync.WaitGroup) {
	verb := [2]string{"promote", "demote"}[w.draw(2)]
	if _, err := w.hub().kith(ctx, "group", verb, w.group, w.nodes[2].name); err == nil {
		w.done.add(&w.done.changes)
	}
}

// comeAndGo has the hub remove a guest and add it again, until the time is over.
func (w *world) comeAndGo(ctx context.Context, g *node) {
	for ctx.Err() == nil {
		w.rest(ctx, 5, 20)
		if !w.remove(ctx, g) {
			continue
		}
		w.rest(ctx, 2, 8)
		for !w.readmit(context.WithoutCancel(ctx), g) && ctx.Err() == nil { // as whoever is told to try again in a minute
			w.rest(ctx, 5, 20)
		}
	}
}

// rest waits some seconds.
func (w *world) rest(ctx context.Context, least, most int) {
	select {
	case <-time.After(time.Duration(1000*least+w.draw(1000*(most-least))) * time.Millisecond):
	case <-ctx.Done():
	}
}

// steady keeps a guest from being cut or killed, until it is let go.
func (g *node) steady() (letGo func()) {
	g.cable.Lock()
	g.power.Lock()
	return func() {
		g.power.Unlock()
		g.cable.Unlock()
	}
}

// settled is how soon a guest commonly has what the hub has; what takes longer is printed.
const settled = 10 * time.Second

// remove takes a guest out. Before, the hub has all that the guest wrote, and the
// guest what the hub has: of what others wrote meanwhile, and the hub had not yet,
// nothing is asked.
func (w *world) remove(ctx context.Context, g *node) bool {
	defer g.steady()()
	if ctx.Err() != nil {
		return false
	}
	g.mute.Lock() // what was on its way is in
	g.writes.Store(false)
	g.mute.Unlock()
	last := w.lastOf(g)
	if !poll(ctx, time.Second, func() bool { return last == "" || w.hub().has(ctx, w.group, last) }) {
		if ctx.Err() == nil {
			w.note("%s: the hub does not get %s", g.name, last)
		}
		g.writes.Store(true)
		return false
	}
	have, at := w.hub().newest(ctx, w.group, some), time.Now()
	lacks, own := "", make(map[string]bool)
	if !poll(ctx, time.Second, func() bool {
		since := int(time.Since(at).Seconds())
		for _, id := range g.newest(ctx, w.group, some+2*wholeMessages/int(wholeTime.Seconds())*since) { // what the hub had is so much older by now
			own[id] = true
		}
		lacks = w.lacking(g, have, own)
		return lacks == ""
	}) {
		if ctx.Err() == nil {
			w.note("%s does not get %s, which the hub has", g.name, lacks)
		}
		g.writes.Store(true)
		return false
	}
	if late := time.Since(at); late > settled {
		fmt.Printf("  %s has what the hub had after %.0f s\n", g.name, late.Seconds())
	}
	w.change(g.name, func(s *stay) { s.Until, s.Last = at, have })
	out := func(members string) bool { return !strings.Contains(members, `"name":"`+g.name+`"`) }
	if err := w.manage(context.WithoutCancel(ctx), out, "group", "remove", w.group, g.name); err != nil {
		w.note("%s cannot be removed: %v", g.name, err)
		return false
	}
	w.done.add(&w.done.changes)
	if w.agreed(g, "removed", out) {
		now := time.Now()
		w.change(g.name, func(s *stay) {
			s.Out = now
			for _, n := range w.residents() {
				s.Knew = append(s.Knew, n.name)
			}
		})
	}
	return true
}

// readmit adds a guest again, and reports whether it did. What is written from when all know
// of it on it must have.
func (w *world) readmit(ctx context.Context, g *node) bool {
	defer g.steady()()
	w.change(g.name, func(s *stay) { s.Asked = time.Now() })
	err := w.manage(ctx, func(members string) bool { return strings.Contains(members, `"name":"`+g.name+`"`) }, "group", "add", w.group, g.name)
	if err == nil {
		err = g.until(ctx, `"id":"`+w.group+`","kind":"group","state":"invited"`, "group", "list", "--json")
	}
	if err == nil {
		err = g.manage(ctx, "group", "accept", w.group)
	}
	if err != nil {
		w.note("%s cannot be added again: %v", g.name, err)
		return false
	}
	w.done.add(&w.done.changes)
	g.writes.Store(true)
	in := stay{Node: g.name}
	if w.agreed(g, "accepted", func(members string) bool {
		_, rest, ok := strings.Cut(members, `"name":"`+g.name+`"`)
		_, rest, _ = strings.Cut(rest, `"accepted":`)
		return ok && strings.HasPrefix(rest, "true")
	}) {
		in.From = time.Now()
	}
	w.stay(in) // a stay of its own in any case: the one before has ended
	return true
}

// manage has the hub do something until it is done; it may be killed before it
// says that it did.
func (w *world) manage(ctx context.Context, done func(members string) bool, args ...string) (err error) {
	poll(ctx, time.Second, func() bool {
		if _, err = w.hub().kith(ctx, args...); err != nil && w.shows(done) {
			err = nil
		}
		return err == nil
	})
	return err
}

// shows reports whether the hub shows something of its members.
func (w *world) shows(done func(members string) bool) bool {
	members := w.members(w.hub())
	return members != "" && done(members)
}

// members is what a node shows of who is in the group; empty while it does not answer.
func (w *world) members(n *node) string {
	out, _ := n.kith(context.Background(), "group", "show", w.group, "--json")
	members, _, _ := strings.Cut(out, `"my_role"`)
	return members
}

// agreed waits until all who stay, and the guest, show the same of the guest.
func (w *world) agreed(g *node, what string, ok func(members string) bool) bool {
	for _, n := range w.residents() {
		if !poll(context.Background(), 200*time.Millisecond, func() bool {
			members := w.members(n)
			return members != "" && ok(members)
		}) {
			w.note("%s does not hear that %s is %s", n.name, g.name, what)
			return false
		}
	}
	return true
}

// lastOf is the id of what a node wrote last.
func (w *world) lastOf(n *node) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range slices.Backward(w.sent) {
		if s.By == n.name && s.ID != "" {
			return s.ID
		}
	}
	return ""
}

// lacking returns one of the messages that a guest does not have and must have: it
// was written since the guest came in.
func (w *world) lacking(g *node, want []string, have map[string]bool) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var last stay
	for _, s := range w.stays {
		if s.Node == g.name {
			last = s
		}
	}
	if last.From.IsZero() {
		return ""
	}
	missing := make(map[string]bool)
	for _, id := range want {
		missing[id] = !have[id]
	}
	for _, s := range w.sent {
		if missing[s.ID] && s.At.After(last.since(s)) {
			return s.ID
		}
	}
	return ""
}
