package node

import (
	"slices"

	"kith/internal/group"
)

// What an owner tells whoever watches.

// changesPicture reports whether anything but a message changed.
func changesPicture(eff group.Effects) bool {
	return slices.ContainsFunc(eff.Notify, func(e group.Event) bool {
		if _, ok := e.(group.Typed); ok {
			return false
		}
		row, ok := e.(group.RowChanged)
		return !ok || row.Row.Client != ""
	})
}

// publish tells subscribers what a step changed, and the sessions what they
// must know.
func (o *owner) publish(eff group.Effects) {
	if len(eff.Write) > 0 {
		o.n.stirMail(o.id)
	}
	chat, delivery := false, false
	unseen := len(eff.Rows)+len(eff.Checked) >= manyRows && !o.n.isWatched()
	if unseen {
		o.n.hub.forget()
	}
	for _, e := range eff.Notify {
		switch e := e.(type) {
		case group.RowChanged:
			if isOwnContent(e.Row.Content) {
				o.n.shareSoon()
				continue
			}
			if !unseen {
				o.publishRow(e.Row)
			}
			chat = true
		case group.Typed:
			o.n.hub.publish(Typed{o.id, e.Person, e.On})
		case group.Acked:
			delivery = true
		case group.Misbehaved:
			o.n.punish(e)
		case group.Repropose:
			o.n.spawnRepropose(o.id, e.People)
			chat = true
		case group.Copied:
			o.n.noteCopy()
		case group.Entered:
			o.n.spawn(o.n.settleIn)
			o.n.spawn(o.n.moveOn)
			chat = true
		case group.OwnPerson:
			o.n.spawnLearn(e.Headers)
		case group.Replaced:
			o.n.noteCopy()
			chat = true
		case group.DropSession:
			o.n.dropIfStranger(e.Device)
		case group.ReachChanged:
			o.n.kickDialer()
			o.n.mailSoon()
		case group.StatusChanged, group.HeadChanged:
			chat = true
			o.n.kickDialer()
			o.n.mailSoon()
		default:
			chat = true
		}
	}
	o.publishDeleted(eff.Deleted)
	for _, p := range slices.Concat(eff.Checked, eff.Twice) {
		if unseen {
			break
		}
		if row, err := o.n.db.RowAt(o.id, p); err == nil && row != nil {
			o.publishRow(*row)
		}
	}
	for _, in := range o.incidents(eff.Notify) {
		o.n.hub.publish(Happened{in})
	}
	if chat {
		o.noteSlashed()
		o.n.hub.publish(ChatChanged{o.id})
	}
	if delivery {
		o.n.hub.publish(DeliveryChanged{o.id})
	}
}

// A reach is how far the newest line of a chat has come, if it is one's own: so much is known of a chat
// before its machine is there, and without asking it.
type reach struct {
	Place             group.Place // zero: it is not one's own
	Reached, Read, Of int
}

// newestReach runs in the owner's goroutine.
func (o *owner) newestReach() (r reach) {
	row, err := o.n.db.Newest(o.id)
	if err != nil || row == nil || row.Person != o.n.me().Person {
		return reach{}
	}
	r.Place = row.Place
	r.Reached, r.Read, r.Of = o.machine.Reached(row.Place.Device, row.Place.Seq)
	return r
}

// reached fills in who has own messages. It runs in the owner's goroutine.
func (o *owner) reached(list []*Message) {
	for _, m := range list {
		if m.Author.Me {
			m.Reached, m.Read, m.ReachOf = o.machine.Reached(m.Place.Device, m.Place.Seq)
		}
	}
}
