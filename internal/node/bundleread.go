package node

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kith/internal/bundle"
	"kith/internal/group"
	"kith/internal/wire"
)

// A BundleRead is what became of a bundle.
type BundleRead struct {
	From   Person
	Made   uint64        // ms, by their clock
	Groups []BundleGroup // that something is new in
	Others int           // that it speaks of, and that are not here
}

// ImportBundle takes a file that somebody's device made for this one. All of it is checked
// before anything is taken, so that one which is cut or changed changes nothing: what is read goes
// to kept, an empty file, and no further than to the first fault.
func (n *Node) ImportBundle(file io.Reader, kept io.ReadWriteSeeker) (BundleRead, error) {
	if !n.Ready() {
		return BundleRead{}, fail(ReasonNoIdentity, "")
	}
	before := make(map[wire.GroupID]group.Extent)
	if _, err := n.readBundle(io.TeeReader(file, kept), false, before); err != nil {
		return BundleRead{}, bundleError(err)
	}
	if _, err := kept.Seek(0, io.SeekStart); err != nil {
		return BundleRead{}, err
	}
	h, err := n.readBundle(kept, true, before)
	if err != nil {
		return BundleRead{}, bundleError(err)
	}
	if n.sessionWith(h.From.Device) == nil {
		n.inviterGone(h.From.Device) // pages that are not in it do not come
	}
	read := BundleRead{From: n.person(h.From.Person), Made: h.Time}
	for g, was := range before {
		o := n.owner(g)
		if o == nil {
			read.Others++
			continue
		}
		var is group.Extent
		if err := o.ask(func() error { is = o.machine.Extent(); return nil }); err != nil {
			return read, err
		}
		view := o.picture.Load().view
		if invited := view.Status == group.StatusInvited; invited || is != was { // what was said in it is taken once they accept
			read.Groups = append(read.Groups, BundleGroup{g, view.Title, int(is.Entries - was.Entries), is.Blocks - was.Blocks, invited})
		}
	}
	slices.SortFunc(read.Groups, func(a, b BundleGroup) int {
		return cmp.Or(strings.Compare(a.Title, b.Title), bytes.Compare(a.Group[:], b.Group[:]))
	})
	return read, nil
}

// bundleError says in words of this package why a bundle is not taken.
func bundleError(err error) error {
	for of, reason := range map[error]Reason{
		bundle.ErrFormat: ReasonNoBundle, bundle.ErrNewer: ReasonNewerBundle, bundle.ErrNotForUs: ReasonOthersBundle,
		bundle.ErrDamaged: ReasonCutBundle, bundle.ErrForged: ReasonCutBundle, bundle.ErrUnknown: ReasonStrangeBundle,
	} {
		if errors.Is(err, of) {
			return fail(reason, "")
		}
	}
	return err
}

// readBundle reads a bundle, and takes what is in it, or else notes what is here of its groups.
func (n *Node) readBundle(file io.Reader, take bool, before map[wire.GroupID]group.Extent) (bundle.Header, error) {
	r, err := bundle.NewReader(file, n.me().Device, n.bundleKey)
	if err != nil {
		return bundle.Header{}, err
	}
	from := r.Header().From
	for {
		g, payload, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header(), nil
		}
		_, known := before[g]
		switch {
		case err != nil:
		case take:
			err = n.receiveAway(from, g, payload)
		case !known:
			before[g] = group.Extent{}
			if o := n.owner(g); o != nil {
				err = o.ask(func() error { before[g] = o.machine.Extent(); return nil })
			}
		}
		if err != nil {
			return r.Header(), err
		}
	}
}

// bundleKey is the key of a device whose bundles are taken: nobody's who would not be
// answered in a session.
func (n *Node) bundleKey(who wire.Member) ed25519.PublicKey {
	known, ok := n.Recognise(who)
	if !ok {
		return nil
	}
	return ed25519.PublicKey(known.Key)
}

// receiveAway hands a payload to its group, or to one that it is an invitation to, and waits until
// it is durable.
func (n *Node) receiveAway(from wire.Member, g wire.GroupID, payload []byte) error {
	o := n.owner(g)
	if o == nil {
		return n.invitedAway(from, g, payload)
	}
	in := group.Received{From: from, Payload: payload, Secrets: n.ownSecrets, Away: true, Checked: group.CheckEntries(payload, o.picture.Load().keyOf)}
	return o.ask(func() (err error) {
		defer func() {
			if p := recover(); p != nil { // as in owner.received
				n.log.Error("a bundle broke the program", "group", shortGroup(g), "panic", fmt.Sprint(p))
				o.reload()
				err = bundle.ErrFormat
			}
		}()
		return o.step(in) // an error says that it could not be kept: what others say is none
	})
}
