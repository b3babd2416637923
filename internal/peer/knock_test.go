package peer_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/wire"
)

func TestKnock(t *testing.T) {
	ann, ben := friends(t)
	a, b := connect(t)
	x, y := meet(t, ann, ben, a, b)
	if x.Remote() != ben.member() || y.Remote() != ann.member() {
		t.Fatal("the sessions name the wrong devices")
	}
	if !x.Dialed() || y.Dialed() || x.Kind() != "mem" {
		t.Fatalf("dialed %v %v kind %q", x.Dialed(), y.Dialed(), x.Kind())
	}
	endX, endY := run(t, x), run(t, y)
	for _, s := range [][2]*peer.Session{{x, y}, {y, x}} {
		m := peer.Message{Channel: [32]byte{7}, Payload: []byte("hello")}
		if err := s[0].Send(m); err != nil {
			t.Fatal(err)
		}
		got := <-s[1].Messages()
		if got.Channel != m.Channel || !bytes.Equal(got.Payload, m.Payload) {
			t.Fatalf("got %v", got)
		}
	}
	x.Close(nil)
	want(t, <-endX, peer.ErrEnded)
	want(t, <-endY, link.ErrClosed)
	want(t, x.Send(peer.Message{}), peer.ErrEnded)
}

// The frames of a knock have the same size whoever knocks.
func TestKnockFrames(t *testing.T) {
	ann, ben := friends(t)
	a, b := connect(t)
	x, y := meet(t, ann, ben, a, b)
	defer x.Close(nil)
	defer y.Close(nil)
	if n := len(a.written()); n != 1 || len(a.written()[0]) != 1329 || a.written()[0][0] != 1 {
		t.Fatal("the knock is not one frame of 1329 bytes of kind 1")
	}
	answer := b.written()
	if len(answer) != 1 || len(answer[0]) != 65 || answer[0][0] != 3 {
		t.Fatal("the answer is not one frame of 65 bytes of kind 3")
	}
}

// sealed makes a knock frame.
func sealed(t testing.TB, to *somebody, k identity.Knock) []byte {
	t.Helper()
	box, err := identity.SealKnock(to.device.KnockKey(), k)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{1}, box...)
}

// knockOf makes the frame that from would send to to with this binding.
func knockOf(t testing.TB, from, to *somebody, binding [32]byte) []byte {
	t.Helper()
	return sealed(t, to, identity.Knock{
		Member:    from.member(),
		Signature: from.device.SignKnock(from.device.ID(), to.device.ID(), binding),
	})
}

// requestOf makes a request frame around content.
func requestOf(l identity.ContactLink, content []byte) []byte {
	tag := l.Tag()
	return append(append([]byte{2}, tag[:]...), l.SealRequest(content)...)
}

// strange are first frames that prove nothing; nil sends none.
var strange = map[string]func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte{
	"nothing":      func(testing.TB, *somebody, *somebody, [32]byte) []byte { return nil },
	"empty":        func(testing.TB, *somebody, *somebody, [32]byte) []byte { return []byte{} },
	"unknown kind": func(testing.TB, *somebody, *somebody, [32]byte) []byte { return []byte{9, 1, 2, 3} },
	"a fragment": func(testing.TB, *somebody, *somebody, [32]byte) []byte {
		return append([]byte{5, 0, 3}, make([]byte, 40)...)
	},
	"an answer": func(testing.TB, *somebody, *somebody, [32]byte) []byte { return append([]byte{3}, make([]byte, 64)...) },
	"a full frame": func(testing.TB, *somebody, *somebody, [32]byte) []byte {
		return append([]byte{2}, make([]byte, link.MaxFrame-1)...)
	},
	"short knock": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		return knockOf(t, ann, ben, binding)[:1328]
	},
	"long knock": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		return append(knockOf(t, ann, ben, binding), 0)
	},
	"zero box": func(testing.TB, *somebody, *somebody, [32]byte) []byte {
		return append([]byte{1}, make([]byte, 1328)...)
	},
	"box changed": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		f := knockOf(t, ann, ben, binding)
		f[len(f)-1] ^= 1
		return f
	},
	"for another device": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		return knockOf(t, ann, newSomebody(t, "Cem"), binding)
	},
	"box for this, signature for another": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		cem := newSomebody(t, "Cem")
		return sealed(t, ben, identity.Knock{
			Member: ann.member(), Signature: ann.device.SignKnock(ann.device.ID(), cem.device.ID(), binding),
		})
	},
	"unknown person": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		return knockOf(t, newSomebody(t, "Cem"), ben, binding)
	},
	"known person, other device": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		cem := newSomebody(t, "Cem")
		return sealed(t, ben, identity.Knock{
			Member:    wire.Member{Person: ann.id, Device: cem.device.ID()},
			Signature: cem.device.SignKnock(cem.device.ID(), ben.device.ID(), binding),
		})
	},
	"signed by another": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		cem := newSomebody(t, "Cem")
		return sealed(t, ben, identity.Knock{
			Member: ann.member(), Signature: cem.device.SignKnock(ann.device.ID(), ben.device.ID(), binding),
		})
	},
	"signed as an answer": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		return sealed(t, ben, identity.Knock{
			Member: ann.member(), Signature: ann.device.SignKnockAnswer(ann.device.ID(), ben.device.ID(), binding),
		})
	},
	"another connection": func(t testing.TB, ann, ben *somebody, _ [32]byte) []byte {
		return knockOf(t, ann, ben, [32]byte{1})
	},
	"device proof": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		return sealed(t, ben, identity.Knock{
			Member: ann.member(), Flags: identity.FlagProof,
			Signature: ann.device.SignKnock(ann.device.ID(), ben.device.ID(), binding),
		})
	},
	"itself": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		ben.knows(ben)
		return knockOf(t, ben, ben, binding)
	},
	"banned": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		ben.bans.PunishDevice(ann.device.ID(), "test", peer.BanAt, time.Now())
		return knockOf(t, ann, ben, binding)
	},
	"unknown tag": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		l := identity.ContactLink{Person: ben.id, Secret: [32]byte{1}}
		return requestOf(l, contentOf(t, ann, ben.id, binding))
	},
	"tag without box": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		tag := ben.contactLink().Tag()
		return append([]byte{2}, tag[:]...)
	},
	"tag with another secret": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		other := identity.ContactLink{Secret: [32]byte{2}}
		tag := ben.contactLink().Tag()
		return append(append([]byte{2}, tag[:]...), other.SealRequest(contentOf(t, ann, ben.id, binding))...)
	},
	"request of nothing": func(t testing.TB, ann, ben *somebody, _ [32]byte) []byte {
		return requestOf(ben.contactLink(), nil)
	},
	"request for another person": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		return requestOf(ben.contactLink(), contentOf(t, ann, ann.id, binding))
	},
	"request of another connection": func(t testing.TB, ann, ben *somebody, _ [32]byte) []byte {
		return requestOf(ben.contactLink(), contentOf(t, ann, ben.id, [32]byte{1}))
	},
	"request of a banned device": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		ben.bans.PunishDevice(ann.device.ID(), "test", peer.BanAt, time.Now())
		return requestOf(ben.contactLink(), contentOf(t, ann, ben.id, binding))
	},
	"request not wanted": func(t testing.TB, ann, ben *somebody, binding [32]byte) []byte {
		ben.reject = true
		return requestOf(ben.contactLink(), contentOf(t, ann, ben.id, binding))
	},
}

func contentOf(t testing.TB, from *somebody, to wire.PersonID, binding [32]byte) []byte {
	t.Helper()
	content, err := peer.Seal(from.device, wire.SignRequest, from.card(), to, binding)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// A stranger gets no frame, and its connection closes at the same moment
// whatever it did.
func TestStranger(t *testing.T) {
	for name, frame := range strange {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ann, ben := friends(t)
				a, b := connect(t)
				got := accept(t.Context(), b, ben.config())
				if f := frame(t, ann, ben, b.Binding()); f != nil {
					if err := a.Write(t.Context(), f); err != nil {
						t.Fatal(err)
					}
				}
				start := time.Now()
				_, err := a.Read(t.Context())
				want(t, err, link.ErrClosed)
				if took := time.Since(start); took != 5*time.Second {
					t.Errorf("closed after %v, want 5s", took)
				}
				y := <-got
				want(t, y.err, peer.ErrStranger)
				if len(b.written()) != 0 {
					t.Errorf("a stranger got %d frames", len(b.written()))
				}
				if len(ben.asked) != 0 {
					t.Error("a stranger's request was handed over")
				}
			})
		})
	}
}

// What was good on one connection is a stranger's on the next.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, ben := friends(t)
		l := ben.contactLink()
		a, b := connect(t)
		x, y := meet(t, ann, ben, a, b)
		x.Close(nil)
		y.Close(nil)
		ra, rb := connect(t)
		got := accept(t.Context(), rb, ben.config())
		s, _, err := peer.Ask(t.Context(), ra, ann.config(), l, ann.card())
		if err != nil {
			t.Fatal(err)
		}
		s.Close(nil)
		(<-got).session.Close(nil)
		ben.links[l.Tag()] = l.Secret // even a link that is still good

		for _, frame := range [][]byte{a.written()[0], ra.written()[0]} {
			c, d := connect(t)
			got := accept(t.Context(), d, ben.config())
			if err := c.Write(t.Context(), frame); err != nil {
				t.Fatal(err)
			}
			want(t, (<-got).err, peer.ErrStranger)
			if len(d.written()) != 0 {
				t.Error("a replayed frame was answered")
			}
		}
	})
}

// Who answers without being the device that is wanted gets no session.
func TestImpostor(t *testing.T) {
	ann, ben := friends(t)
	cem := newSomebody(t, "Cem")
	from, to := ann.device.ID(), ben.device.ID()
	frame := func(signature [64]byte) []byte { return append([]byte{3}, signature[:]...) }
	answers := map[string]func(binding [32]byte) []byte{
		"empty":              func([32]byte) []byte { return []byte{} },
		"another kind":       func(b [32]byte) []byte { f := frame(ben.device.SignKnockAnswer(from, to, b)); f[0] = 4; return f },
		"too long":           func(b [32]byte) []byte { return append(frame(ben.device.SignKnockAnswer(from, to, b)), 0) },
		"another key":        func(b [32]byte) []byte { return frame(cem.device.SignKnockAnswer(from, to, b)) },
		"another label":      func(b [32]byte) []byte { return frame(ben.device.SignKnock(from, to, b)) },
		"another connection": func([32]byte) []byte { return frame(ben.device.SignKnockAnswer(from, to, [32]byte{9})) },
		"ids exchanged":      func(b [32]byte) []byte { return frame(ben.device.SignKnockAnswer(to, from, b)) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			a, b := connect(t)
			go func() {
				if _, err := b.Read(t.Context()); err == nil {
					b.Write(t.Context(), answer(b.Binding()))
				}
			}()
			_, err := peer.Knock(t.Context(), a, ann.config(), ben.target())
			want(t, err, peer.ErrImpostor)
			<-a.Done()
		})
	}
}

// A listener that never answers, or that closes, is silent; it is not waited
// for longer than 10 s.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, ben := friends(t)
		a, _ := connect(t)
		start := time.Now()
		_, err := peer.Knock(t.Context(), a, ann.config(), ben.target())
		want(t, err, peer.ErrSilent)
		if took := time.Since(start); took != 10*time.Second {
			t.Fatalf("gave up after %v", took)
		}
		a, b := connect(t)
		b.Close()
		_, err = peer.Knock(t.Context(), a, ann.config(), ben.target())
		want(t, err, peer.ErrSilent)
	})
}

func TestKnockRefusesBefore(t *testing.T) {
	ann, ben := friends(t)
	for name, c := range map[string]struct {
		change func(*peer.Target)
		err    error
	}{
		"itself":       {func(to *peer.Target) { *to = ann.target() }, peer.ErrSelf},
		"wrong key":    {func(to *peer.Target) { to.Key = ann.device.PublicKey() }, nil},
		"no knock key": {func(to *peer.Target) { to.KnockKey = nil }, nil},
		"banned": {func(*peer.Target) {
			ann.bans.PunishDevice(ben.device.ID(), "test", peer.BanAt, time.Now())
		}, peer.ErrBanned},
	} {
		t.Run(name, func(t *testing.T) {
			ann.bans = peer.Bans{}
			a, _ := connect(t)
			to := ben.target()
			c.change(&to)
			_, err := peer.Knock(t.Context(), a, ann.config(), to)
			if err == nil || (c.err != nil && !errors.Is(err, c.err)) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if len(a.written()) != 0 {
				t.Error("something was sent")
			}
			<-a.Done()
		})
	}
}
