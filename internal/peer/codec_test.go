package peer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/peer"
	"kith/internal/wire"
)

// smallCard is a card with the shortest fields the codec takes.
func smallCard() peer.Card {
	return peer.Card{Headers: [][]byte{{0xaa}}, Info: []byte{0xbb}, KnockKey: bytes.Repeat([]byte{0xcc}, 1216)}
}

// The bytes of a card, spelt out.
func TestCardBytes(t *testing.T) {
	c := smallCard()
	c.Headers = append(c.Headers, []byte{0xab, 0xac})
	c.KeyPackages = [][]byte{{0xdd}}
	c.Peer = []byte{0xee, 0xef}
	c.Hosts = []string{"/a", "b"}
	want := []byte{
		1,                         // version
		5, 1, 0xaa, 2, 0xab, 0xac, // headers
		1, 0xbb, // info
		0x44, 0xc0, // knock key, 1216 bytes
	}
	want = append(want, c.KnockKey...)
	want = append(want,
		2, 1, 0xdd, // key packages
		2, 0xee, 0xef, // peer
		5, 2, '/', 'a', 1, 'b', // hosts
	)
	got, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got\n%x, want\n%x", got, want)
	}
}

func TestCardBounds(t *testing.T) {
	many := func(n, size int) (out [][]byte) {
		for range n {
			out = append(out, make([]byte, size))
		}
		return out
	}
	for name, change := range map[string]func(*peer.Card){
		"no header":            func(c *peer.Card) { c.Headers = nil },
		"empty header":         func(c *peer.Card) { c.Headers = [][]byte{{}} },
		"too many headers":     func(c *peer.Card) { c.Headers = many(peer.MaxHeaders+1, 1) },
		"no info":              func(c *peer.Card) { c.Info = nil },
		"long info":            func(c *peer.Card) { c.Info = make([]byte, identity.MaxInfo+1) },
		"short knock key":      func(c *peer.Card) { c.KnockKey = c.KnockKey[1:] },
		"long knock key":       func(c *peer.Card) { c.KnockKey = make([]byte, 1217) },
		"too many packages":    func(c *peer.Card) { c.KeyPackages = many(9, 1) },
		"empty package":        func(c *peer.Card) { c.KeyPackages = many(1, 0) },
		"long package":         func(c *peer.Card) { c.KeyPackages = many(1, 8<<10+1) },
		"long peer":            func(c *peer.Card) { c.Peer = make([]byte, 65) },
		"too many hosts":       func(c *peer.Card) { c.Hosts = strings.Split("abcdefghi", "") },
		"empty host":           func(c *peer.Card) { c.Hosts = []string{""} },
		"long host":            func(c *peer.Card) { c.Hosts = []string{strings.Repeat("a", 129)} },
		"host with a space":    func(c *peer.Card) { c.Hosts = []string{"a b"} },
		"host beyond ASCII":    func(c *peer.Card) { c.Hosts = []string{"ä"} },
		"over MaxCard":         func(c *peer.Card) { c.KeyPackages = many(8, 8<<10) },
		"header over MaxCard":  func(c *peer.Card) { c.Headers = many(1, peer.MaxCard) },
		"host with line break": func(c *peer.Card) { c.Hosts = []string{"a\nb"} },
	} {
		c := smallCard()
		change(&c)
		if _, err := c.Marshal(); !errors.Is(err, peer.ErrCard) {
			t.Errorf("%s: error %v, want ErrCard", name, err)
		}
	}
}

func TestCardVersion(t *testing.T) {
	b, err := smallCard().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b[0] = 2
	if _, err := peer.ParseCard(b); !errors.Is(err, chain.ErrNewer) {
		t.Fatalf("error %v, want ErrNewer", err)
	}
	b[0] = 1
	for n := range b {
		if _, err := peer.ParseCard(b[:n]); err == nil {
			t.Fatalf("a card cut to %d bytes is taken", n)
		}
	}
	if _, err := peer.ParseCard(append(b, 0)); !errors.Is(err, wire.ErrTrailing) {
		t.Fatalf("a byte left over: %v", err)
	}
}

func fragmentOf(stream, flags uint8, payload int) []byte {
	b := []byte{5, stream, flags}
	if flags&1 != 0 {
		b = append(b, make([]byte, 32)...)
	}
	return append(b, make([]byte, payload)...)
}

func TestFragmentForms(t *testing.T) {
	const full = peer.FragmentSize
	for name, c := range map[string]struct {
		frame []byte
		ok    bool
	}{
		"whole":               {fragmentOf(0, 3, 5), true},
		"whole, empty":        {fragmentOf(0, 3, 0), true},
		"whole, full":         {fragmentOf(0, 3, full), true},
		"first":               {fragmentOf(1, 1, full), true},
		"middle":              {fragmentOf(2, 0, full), true},
		"last":                {fragmentOf(1, 2, 1), true},
		"last, full":          {fragmentOf(1, 2, full), true},
		"nothing":             {nil, false},
		"another kind":        {append([]byte{1}, fragmentOf(0, 3, 5)[1:]...), false},
		"channel cut":         {fragmentOf(0, 3, 0)[:34], false},
		"no flags":            {[]byte{5, 0}, false},
		"unknown flag":        {fragmentOf(0, 7, 5), false},
		"unknown stream":      {fragmentOf(3, 1, full), false},
		"whole on a stream":   {fragmentOf(1, 3, 5), false},
		"part on stream zero": {fragmentOf(0, 1, full), false},
		"whole, too long":     {fragmentOf(0, 3, full+1), false},
		"first, not full":     {fragmentOf(1, 1, full-1), false},
		"middle, too long":    {fragmentOf(1, 0, full+1), false},
		"last, empty":         {fragmentOf(1, 2, 0), false},
	} {
		b, err := peer.Recode(c.frame)
		if (err == nil) != c.ok {
			t.Errorf("%s: error %v", name, err)
		}
		if err == nil && !bytes.Equal(b, c.frame) {
			t.Errorf("%s: encodes to other bytes", name)
		}
	}
}

func FuzzCard(f *testing.F) {
	b, err := smallCard().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	b, err = newSomebody(f, "Ann").card().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := peer.ParseCard(b)
		if err != nil {
			return
		}
		again, err := c.Marshal()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("encodes to other bytes: %v", err)
		}
		c.Check(wire.DeviceID{})
	})
}

func FuzzSealed(f *testing.F) {
	ann := newSomebody(f, "Ann")
	f.Add(contentOf(f, ann, ann.id, [32]byte{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := peer.RecodeSealed(b)
		if err == nil && !bytes.Equal(again, b) {
			t.Fatal("encodes to other bytes")
		}
	})
}

func FuzzFragment(f *testing.F) {
	f.Add(fragmentOf(0, 3, 5))
	f.Add(fragmentOf(1, 2, 5))
	f.Add(fragmentOf(2, 1, peer.FragmentSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := peer.Recode(b)
		if err == nil && !bytes.Equal(again, b) {
			t.Fatal("encodes to other bytes")
		}
	})
}

// FuzzAssembly reads a list of frames, each with two bytes of length in front:
// whatever they are, no more is held than they brought.
func FuzzAssembly(f *testing.F) {
	add := func(frames ...[]byte) {
		var b []byte
		for _, frame := range frames {
			b = binary.BigEndian.AppendUint16(b, uint16(min(len(frame), 1<<16-1)))
			b = append(b, frame...)
		}
		f.Add(b)
	}
	add(fragmentOf(0, 3, 5), fragmentOf(0, 3, 0))
	add(fragmentOf(1, 2, 5))
	f.Fuzz(func(t *testing.T, b []byte) {
		var frames [][]byte
		for total := len(b); len(b) >= 2 && total > 0; {
			n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
			frames = append(frames, b[2:2+n])
			b = b[2+n:]
		}
		brought, got := 0, 0
		for _, frame := range frames {
			brought += len(frame)
		}
		whole, held, _ := peer.Assemble(frames)
		for _, m := range whole {
			got += len(m.Payload)
		}
		if got+held > brought {
			t.Fatalf("%d bytes came, %d are held", brought, got+held)
		}
	})
}

// FuzzFirstFrame is what anybody on the network can send.
func FuzzFirstFrame(f *testing.F) {
	ann, ben := friends(f)
	for _, frame := range strange {
		f.Add(frame(f, ann, ben, [32]byte{}))
	}
	ben.reject, ben.bans = true, peer.Bans{}
	cfg := ben.config()
	f.Fuzz(func(t *testing.T, frame []byte) {
		_, answer, err := peer.Judge(frame, [32]byte{0xff}, cfg)
		if err == nil || answer != nil {
			t.Fatal("a stranger was answered")
		}
	})
}
