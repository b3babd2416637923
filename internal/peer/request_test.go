package peer_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/wire"
)

func TestAsk(t *testing.T) {
	ann, ben := newSomebody(t, "Ann"), newSomebody(t, "Ben")
	l := ben.contactLink()
	a, b := connect(t)
	got := accept(t.Context(), b, ben.config())
	x, theirs, err := peer.Ask(t.Context(), a, ann.config(), l, ann.card())
	if err != nil {
		t.Fatal(err)
	}
	y := <-got
	if y.err != nil {
		t.Fatal(y.err)
	}
	if x.Remote() != ben.member() || y.session.Remote() != ann.member() || !x.Dialed() || y.session.Dialed() {
		t.Fatal("the sessions name the wrong devices")
	}
	checkRequest(t, theirs, ben)
	if len(ben.asked) != 1 {
		t.Fatalf("asked %d times", len(ben.asked))
	}
	checkRequest(t, ben.asked[0], ann)
	endX, endY := run(t, x), run(t, y.session)
	if err := x.Send(peer.Message{Payload: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	if m := <-y.session.Messages(); string(m.Payload) != "hello" {
		t.Fatalf("got %q", m.Payload)
	}
	y.session.Close(nil)
	want(t, <-endX, link.ErrClosed)
	want(t, <-endY, peer.ErrEnded)
}

func checkRequest(t *testing.T, r peer.Request, of *somebody) {
	t.Helper()
	if r.Member != of.member() || r.Person.ID != of.id || r.Person.Info != of.info || !r.Key.Equal(of.device.PublicKey()) {
		t.Fatal("not the person who asked")
	}
	if len(r.Card.KeyPackages) != 2 || r.Card.Hosts[0] != of.card().Hosts[0] || !bytes.Equal(r.Card.Peer, of.card().Peer) {
		t.Fatal("the card is not what was sent")
	}
}

// A contact link works once; the second who comes with it hears nothing.
func TestUsedLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, ben := newSomebody(t, "Ann"), newSomebody(t, "Ben")
		l := ben.contactLink()
		a, b := connect(t)
		got := accept(t.Context(), b, ben.config())
		x, _, err := peer.Ask(t.Context(), a, ann.config(), l, ann.card())
		if err != nil {
			t.Fatal(err)
		}
		x.Close(nil)
		(<-got).session.Close(nil)

		cem := newSomebody(t, "Cem")
		a, b = connect(t)
		got = accept(t.Context(), b, ben.config())
		_, _, err = peer.Ask(t.Context(), a, cem.config(), l, cem.card())
		want(t, err, peer.ErrSilent)
		want(t, (<-got).err, peer.ErrStranger)
		if len(b.written()) != 0 || len(ben.asked) != 1 {
			t.Fatal("a used link was answered")
		}
	})
}

// The size of a request does not tell the length of a name.
func TestRequestSize(t *testing.T) {
	sizes := make(map[int]bool)
	for _, name := range []string{"A", "A name of some length, more than most people's"} {
		ann, ben := newSomebody(t, name), newSomebody(t, name)
		a, b := connect(t)
		got := accept(t.Context(), b, ben.config())
		if _, _, err := peer.Ask(t.Context(), a, ann.config(), ben.contactLink(), ann.card()); err != nil {
			t.Fatal(err)
		}
		<-got
		sizes[len(a.written()[0])], sizes[len(b.written()[0])+16] = true, true
	}
	if len(sizes) != 1 {
		t.Fatalf("sizes differ: %v", sizes)
	}
}

// forgeries are cards whose parts do not belong together.
var forgeries = map[string]func(t testing.TB, ann *somebody, c *peer.Card){
	"another's name": func(t testing.TB, _ *somebody, c *peer.Card) { c.Info = newSomebody(t, "Ann").info.Marshal() },
	"no name":        func(_ testing.TB, _ *somebody, c *peer.Card) { c.Info = []byte{1} },
	"another's headers": func(t testing.TB, _ *somebody, c *peer.Card) {
		cem := newSomebody(t, "Cem")
		c.Headers, c.Info = cem.headers, cem.info.Marshal()
	},
	"another's knock key": func(t testing.TB, _ *somebody, c *peer.Card) {
		c.KnockKey = newSomebody(t, "Cem").device.KnockKey()
	},
	"changed header": func(_ testing.TB, _ *somebody, c *peer.Card) {
		h := bytes.Clone(c.Headers[0])
		h[len(h)-1] ^= 1 // the signature
		c.Headers = [][]byte{h}
	},
	"cut header": func(_ testing.TB, _ *somebody, c *peer.Card) { c.Headers = [][]byte{c.Headers[0][:100]} },
	"header twice": func(_ testing.TB, _ *somebody, c *peer.Card) {
		c.Headers = [][]byte{c.Headers[0], c.Headers[0]}
	},
	"a group's genesis": func(t testing.TB, ann *somebody, c *peer.Card) {
		g := &chain.Genesis{
			Nonce: [32]byte{1}, Creator: ann.id, PersonHead: wire.BlockHash{1},
			Device: chain.DeviceEntry{Key: [32]byte(ann.device.PublicKey()), KnockHash: chain.KnockHash(ann.device.KnockKey())},
			Info:   ann.info.Commit(), Cites: []wire.Digest{{1}, {2}},
		}
		h, _, err := chain.Draft(nil, chain.DraftParams{
			Suite: chain.SuiteXWing, Author: ann.member(), AuthorSeq: 1, Ops: []chain.Op{g},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.Seal(wire.Digest{}, wire.Digest{}, wire.Digest{}, wire.Digest{}, ann.device.Sign)
		c.Headers = [][]byte{h.Bytes()}
	},
}

// Neither side takes a forged card.
func TestForgedCard(t *testing.T) {
	for name, forge := range forgeries {
		t.Run(name, func(t *testing.T) {
			ann, ben := friends(t)
			c := ann.card()
			forge(t, ann, &c)
			if _, _, err := c.Check(ann.device.ID()); err == nil {
				t.Fatal("Check takes it")
			}
			content, err := peer.Seal(ann.device, wire.SignRequest, c, ben.id, [32]byte{})
			if err != nil {
				t.Fatal(err)
			}
			_, answer, err := peer.Judge(requestOf(ben.contactLink(), content), [32]byte{}, ben.config())
			want(t, err, peer.ErrStranger)
			if answer != nil || len(ben.asked) != 0 {
				t.Fatal("it was answered")
			}
			theirs := answerTo(t, ben, func(_ *identity.ContactLink, b [32]byte) []byte {
				content, err := peer.Seal(ann.device, wire.SignAnswer, c, ben.id, b)
				if err != nil {
					t.Fatal(err)
				}
				return content
			}, ann)
			want(t, theirs, peer.ErrImpostor)
		})
	}
}

// answerTo has asker ask over a link of asked, whose answer is what content
// makes, and returns the error of Ask.
func answerTo(t *testing.T, asker *somebody, content func(*identity.ContactLink, [32]byte) []byte, asked *somebody) error {
	t.Helper()
	l := asked.contactLink()
	a, b := connect(t)
	go func() {
		if _, err := b.Read(t.Context()); err == nil {
			b.Write(t.Context(), append([]byte{4}, l.SealRequest(content(&l, b.Binding()))...))
		}
	}()
	_, _, err := peer.Ask(t.Context(), a, asker.config(), l, asker.card())
	return err
}

// An answer is the target's, to this asker, on this connection.
func TestForgedAnswer(t *testing.T) {
	ann, ben := friends(t)
	cem := newSomebody(t, "Cem")
	seal := func(of *somebody, label wire.Label, to wire.PersonID, b [32]byte) []byte {
		content, err := peer.Seal(of.device, label, of.card(), to, b)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	for name, content := range map[string]func(l *identity.ContactLink, b [32]byte) []byte{
		"another person": func(_ *identity.ContactLink, b [32]byte) []byte { return seal(cem, wire.SignAnswer, ann.id, b) },
		"to another":     func(_ *identity.ContactLink, b [32]byte) []byte { return seal(ben, wire.SignAnswer, cem.id, b) },
		"another label":  func(_ *identity.ContactLink, b [32]byte) []byte { return seal(ben, wire.SignRequest, ann.id, b) },
		"another connection": func(_ *identity.ContactLink, _ [32]byte) []byte {
			return seal(ben, wire.SignAnswer, ann.id, [32]byte{1})
		},
		"own request back": func(_ *identity.ContactLink, b [32]byte) []byte { return seal(ann, wire.SignRequest, ben.id, b) },
		"without padding": func(_ *identity.ContactLink, b [32]byte) []byte {
			c := seal(ben, wire.SignAnswer, ann.id, b)
			return c[:len(c)-1]
		},
		"other padding": func(_ *identity.ContactLink, b [32]byte) []byte {
			c := seal(ben, wire.SignAnswer, ann.id, b)
			c[len(c)-1] = 1
			return c
		},
		"another secret": func(l *identity.ContactLink, b [32]byte) []byte {
			l.Secret[0] ^= 1
			return seal(ben, wire.SignAnswer, ann.id, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, answerTo(t, ann, content, ben), peer.ErrImpostor)
		})
	}
	good := func(_ *identity.ContactLink, b [32]byte) []byte { return seal(ben, wire.SignAnswer, ann.id, b) }
	if err := answerTo(t, ann, good, ben); err != nil {
		t.Fatalf("the good answer: %v", err)
	}
	ann.bans.PunishDevice(ben.device.ID(), "test", peer.BanAt, time.Now())
	want(t, answerTo(t, ann, good, ben), peer.ErrBanned)
}

func TestAskRefusesBefore(t *testing.T) {
	ann, ben := friends(t)
	large := ann.card()
	large.KeyPackages = nil
	for range peer.MaxKeyPackages {
		large.KeyPackages = append(large.KeyPackages, make([]byte, 8<<10))
	}
	expired := ben.contactLink()
	expired.Expiry = uint64(time.Now().Unix())
	for name, c := range map[string]struct {
		link identity.ContactLink
		card peer.Card
		err  error
	}{
		"own link":      {ann.contactLink(), ann.card(), peer.ErrSelf},
		"expired":       {expired, ann.card(), peer.ErrExpired},
		"card too long": {ben.contactLink(), large, peer.ErrCard},
		"empty card":    {ben.contactLink(), peer.Card{}, peer.ErrCard},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := connect(t)
			_, _, err := peer.Ask(t.Context(), a, ann.config(), c.link, c.card)
			want(t, err, c.err)
			if len(a.written()) != 0 {
				t.Error("something was sent")
			}
			<-a.Done()
		})
	}
}

// A card still holds after the person renamed itself and refreshed its keys.
func TestCardFollowsChain(t *testing.T) {
	ann := newSomebody(t, "Ann")
	genesis, err := chain.ParseHeader(ann.headers[0])
	if err != nil {
		t.Fatal(err)
	}
	old := ann.card()
	info, err := identity.NewInfo("Ann B.")
	if err != nil {
		t.Fatal(err)
	}
	h := ann.block(t, genesis, &chain.SetInfo{Info: info.Commit()})
	ann.block(t, h, &chain.Rekey{})
	if _, _, err := ann.card().Check(ann.device.ID()); err == nil {
		t.Fatal("the old name is taken under the new head")
	}
	ann.info = info
	p, key, err := ann.card().Check(ann.device.ID())
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != ann.id || p.Info.Name != "Ann B." || !key.Equal(ann.device.PublicKey()) || p.State.Height() != 2 {
		t.Fatal("not the person")
	}
	if _, _, err := old.Check(ann.device.ID()); err != nil {
		t.Fatalf("the card of before: %v", err)
	}
}
