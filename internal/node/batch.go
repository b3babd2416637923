package node

import (
	"fmt"
	"runtime/debug"
	"slices"

	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// What peers send is stepped one by one and written together, as much as waits: one
// transaction touches the pages that all of it shares once, and waits for the disk once.
// Nothing of a batch is sent or shown before it is written, and whatever else the goroutine is
// to do comes after that.

// maxBatch is how much is written in one transaction: some 10 ms of steps.
const maxBatch = 32

// An input is what the owner's goroutine is to do.
type input struct {
	do   func()         // nil: a step with what a peer sent
	from *peer.Session  // who sent it
	sent group.Received // what
}

// take does one input, and where a peer sent it, what peers sent that waits behind it.
func (o *owner) take(in input) {
	for n := 1; in.do == nil; n++ {
		o.gather(in.from, in.sent)
		if n == maxBatch {
			break
		}
		select {
		case in = <-o.inbox:
			continue
		default:
		}
		break
	}
	o.flush()
	if in.do != nil {
		in.do()
	}
}

// received steps the machine with what a peer sent, and writes that.
func (o *owner) received(s *peer.Session, in group.Received) {
	o.gather(s, in)
	o.flush()
}

// gather steps the machine with what a peer sent. Bytes that make the program panic are the one
// thing it recovers from: they would come again at every start.
func (o *owner) gather(s *peer.Session, in group.Received) {
	defer func() {
		if p := recover(); p != nil {
			o.n.broken(s, o.id, p)
			o.batch = nil // as if it had not come: the sessions end, and it comes again
			o.reload()
		}
	}()
	if o.ahead && !o.reload() {
		return
	}
	if eff, err := o.machine.Step(o.input(in)); err == nil {
		o.batch = append(o.batch, eff)
	}
}

// flush writes what was gathered, and only then sends and publishes it.
func (o *owner) flush() {
	if list := o.batch; len(list) > 0 {
		o.batch = nil
		_ = o.apply(list, also{})
	}
}

// broken takes note of a panic at what a peer sent, and shuts it out.
func (n *Node) broken(s *peer.Session, g wire.GroupID, with any) {
	n.log.Error("a peer's bytes broke the program", "peer", shortDevice(s.Remote().Device),
		"group", shortGroup(g), "panic", fmt.Sprint(with), "stack", string(debug.Stack()))
	s.Punish("panic", banWeight)
}

// banWeight is a whole ban.
const banWeight = 100

// apply commits effects, and only then sends and publishes.
func (o *owner) apply(list []group.Effects, with also) error {
	if err := o.commit(list, with); err != nil {
		o.complain(err)
		o.reload()
		return storeError(err)
	}
	for _, eff := range list {
		o.heed(eff.Rows)
	}
	if slices.ContainsFunc(list, changesPicture) {
		o.draw()
	}
	for _, eff := range list {
		o.send(eff)
		o.setWake(eff.Wake)
	}
	return nil
}

// send sends and publishes what is durable.
func (o *owner) send(eff group.Effects) {
	for _, f := range eff.Send {
		o.n.send(f.To, o.id, f.Payload)
	}
	for _, s := range eff.Serve {
		o.serve(s)
	}
	o.castMembers()
	o.castKept(eff)
	o.publish(eff)
}

// commit writes effects, in order, and more, in one transaction.
func (o *owner) commit(list []group.Effects, with also) error {
	var batches []store.Batch
	written := false
	for _, eff := range list {
		if len(eff.Write)+len(eff.Rows)+len(eff.Checked)+len(eff.Twice)+len(eff.Used)+len(eff.Void) > 0 {
			batches = append(batches, o.batchOf(eff))
			written = written || len(eff.Write) > 0
		}
	}
	if len(batches)+len(with.edits) == 0 && with.write == nil {
		return nil
	}
	if written {
		o.waitForSketch()
	}
	return o.n.edited(with.edits, func(write func(*store.Tx) error) error {
		last := store.Batch{Group: o.id, Also: func(tx *store.Tx) error {
			if with.write != nil {
				if err := with.write(tx); err != nil {
					return err
				}
			}
			return write(tx)
		}}
		return o.n.db.CommitMany(append(batches, last))
	})
}

// batchOf is what the effects of one step write.
func (o *owner) batchOf(eff group.Effects) store.Batch {
	taken, ahead := o.taken(eff), aheadBy(eff.Rows, o.n.nowMS())
	return store.Batch{
		Group: o.id, Records: eff.Write, Rows: eff.Rows, Checked: eff.Checked, Deleted: eff.Deleted, Twice: eff.Twice,
		Also: func(tx *store.Tx) error {
			for _, u := range eff.Used {
				if err := spendPackage(tx, u, o.n.nowMS()); err != nil {
					return err
				}
			}
			if err := o.noteTidings(tx, eff.Rows); err != nil {
				return err
			}
			for _, ref := range eff.Void {
				if err := dropPackage(tx, ref[:]); err != nil {
					return err
				}
			}
			if eff.Behind != nil {
				if err := tx.LowerLastRead(o.id, *eff.Behind); err != nil {
					return err
				}
			}
			if taken != 0 {
				if err := putTaken(tx, o.id, taken, o.n.nowMS()); err != nil {
					return err
				}
			}
			return putAhead(tx, o.id, ahead)
		},
	}
}
