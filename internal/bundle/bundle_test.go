package bundle_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kith/internal/bundle"
	"kith/internal/identity"
	"kith/internal/wire"
)

var (
	ann, ben, cleo = identity.NewDevice(), identity.NewDevice(), identity.NewDevice()
	secret         = [32]byte{1, 2, 3}
)

func member(d *identity.Device) wire.Member {
	return wire.Member{Person: wire.PersonID{1}, Device: d.ID()}
}

func keyOf(who wire.Member) ed25519.PublicKey {
	if who == member(ann) {
		return ann.PublicKey()
	}
	return nil
}

type part struct {
	group   wire.GroupID
	payload string
}

// fill writes parts, and closes.
func fill(t testing.TB, w *bundle.Writer, parts []part) {
	t.Helper()
	var in wire.GroupID
	for i, p := range parts {
		if i == 0 || p.group != in {
			in = p.group
			if err := w.Group(in); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Payload([]byte(p.payload)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func file(t testing.TB, by *identity.Device, from wire.Member, parts []part, to ...*identity.Device) []byte {
	t.Helper()
	var keys [][]byte
	for _, d := range to {
		keys = append(keys, d.KnockKey())
	}
	var out bytes.Buffer
	w, err := bundle.NewWriter(&out, by, bundle.Header{From: from, Time: 7}, keys)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w, parts)
	return out.Bytes()
}

// read reads a whole bundle.
func read(r *bundle.Reader, err error) (parts []part, _ error) {
	for err == nil {
		var g wire.GroupID
		var b []byte
		if g, b, err = r.Next(); err == nil {
			parts = append(parts, part{g, string(b)})
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return parts, err
}

func open(b []byte, by *identity.Device) ([]part, error) {
	return read(bundle.NewReader(bytes.NewReader(b), by, keyOf))
}

// story is more than a chunk, with payloads that end on its border or reach over it.
func story() []part {
	return []part{
		{wire.GroupID{1}, "hello"},
		{wire.GroupID{1}, strings.Repeat("a", 65_472-73-33-5-5-5)},
		{wire.GroupID{2}, ""},
		{wire.GroupID{2}, strings.Repeat("b", 200_000)},
		{wire.GroupID{1}, "again"},
	}
}

// TestFile: each for whom a file is reads it; a device for which it is not, does not.
func TestFile(t *testing.T) {
	b := file(t, ann, member(ann), story(), ben, cleo, identity.NewDevice())
	for _, d := range []*identity.Device{ben, cleo} {
		got, err := open(b, d)
		if err != nil || !slices.Equal(got, story()) {
			t.Errorf("%d parts, %v", len(got), err)
		}
	}
	if _, err := open(b, identity.NewDevice()); !errors.Is(err, bundle.ErrNotForUs) {
		t.Errorf("a stranger: %v", err)
	}
	four := file(t, ann, member(ann), story(), ben, ben, ben, ben)
	if len(four) != len(b) {
		t.Error("three devices are told from four")
	}
	from := member(ann)
	for _, id := range [][]byte{ben.KnockKey()[:32], from.Device[:]} {
		if bytes.Contains(b, id) {
			t.Error("an id stands in the file")
		}
	}
}

// TestLengths: what a bundle holds shows in its length no more than padding lets it.
func TestLengths(t *testing.T) {
	lengths := make(map[int]bool)
	for n := range 3000 {
		if n%97 == 0 {
			lengths[len(file(t, ann, member(ann), []part{{payload: strings.Repeat("x", n)}}, ben))] = true
		}
	}
	if len(lengths) != 1 {
		t.Errorf("%d lengths of less than 4 KiB", len(lengths))
	}
	for n := 1; n < 1<<22; n += n/3 + 1 {
		if p := bundle.Padded(n); p < n || n > 4096 && p > n+n*12/100+1 {
			t.Errorf("%d bytes are padded to %d", n, p)
		}
	}
}

// TestDamaged: whatever is cut from a file, or changed in it, what is read of it is what was
// written before the place, and then it is damaged.
func TestDamaged(t *testing.T) {
	b, want := file(t, ann, member(ann), story(), ben), story()
	check := func(name string, b []byte) {
		t.Helper()
		got, err := open(b, ben)
		if err == nil {
			t.Errorf("%s: read", name)
		}
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("%s: read something else", name)
		}
	}
	r := rand.New(rand.NewPCG(1, 0))
	for range 150 {
		check("cut", b[:r.IntN(len(b))])
		changed := slices.Clone(b)
		changed[r.IntN(len(b))] ^= 1 << r.IntN(8)
		check("changed", changed)
	}
	head, chunk := 6+identity.WrapSize, 64<<10+16
	check("cut between chunks", b[:head+chunk])
	check("longer", append(slices.Clone(b), 0))
	check("chunks in another order", slices.Concat(b[:head], b[head+chunk:head+2*chunk], b[head:head+chunk], b[head+2*chunk:]))
	check("a chunk twice", slices.Concat(b[:head+chunk], b[head:]))
}

// TestForged: a bundle that says it is Ann's is signed by her, and for those who read it.
func TestForged(t *testing.T) {
	if _, err := open(file(t, cleo, member(ann), story(), ben), ben); !errors.Is(err, bundle.ErrForged) {
		t.Errorf("signed by another: %v", err)
	}
	if _, err := open(file(t, cleo, member(cleo), story(), ben), ben); !errors.Is(err, bundle.ErrUnknown) {
		t.Errorf("by who is not known: %v", err)
	}
	// Cleo gives chunks that Ann signed for her to Ben, under wraps of her own.
	b := file(t, ann, member(ann), story(), cleo)
	inner, ok := cleo.UnwrapKey(b[6 : 6+identity.WrapSize])
	if !ok {
		t.Fatal("her own is not hers")
	}
	wrap, err := identity.WrapKey(ben.KnockKey(), inner)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := open(slices.Concat(b[:6], wrap, b[6+identity.WrapSize:]), ben); err == nil || len(got) > 0 {
		t.Errorf("passed on to another: %d parts, %v", len(got), err)
	}
}

// TestNoFile: what is no bundle is told so, and one of a later version too.
func TestNoFile(t *testing.T) {
	for name, c := range map[string]struct {
		bytes string
		want  error
	}{
		"empty": {"", bundle.ErrFormat}, "text": {"hello, this is text", bundle.ErrFormat},
		"newer": {"KTHB\x02\x00", bundle.ErrNewer}, "too many wraps": {"KTHB\x01\x0f", bundle.ErrFormat},
		"no wrap": {"KTHB\x01\x0e", bundle.ErrDamaged},
	} {
		if _, err := open([]byte(c.bytes), ben); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sealed(t testing.TB, parts []part) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := bundle.NewSecretWriter(&out, ann, bundle.Header{From: member(ann), Time: 7}, secret)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w, parts)
	return out.Bytes()
}

// TestBytes takes a bundle apart as the table says, without this package.
func TestBytes(t *testing.T) {
	b := sealed(t, []part{{wire.GroupID{9}, "hi"}})
	salt := sha256.Sum256(b[:32])
	keys, err := hkdf.Key(sha256.New, secret[:], salt[:], "Kith 1 bundle", 64)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := aes.NewCipher(keys[:32])
	aead, _ := cipher.NewGCM(block)
	plain, err := aead.Open(nil, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, b[32:], nil)
	if err != nil {
		t.Fatal(err)
	}
	from := member(ann)
	spelt := "01" + hex.EncodeToString(from.Person[:]) + hex.EncodeToString(from.Device[:]) + "0000000000000007" +
		"01" + "09" + strings.Repeat("00", 31) + "02" + "00000002" + "6869" + "00"
	content := plain[64:]
	if got := hex.EncodeToString(content[:len(spelt)/2]); got != spelt || len(content) != 4096 || len(bytes.Trim(content[len(spelt)/2:], "\x00")) > 0 {
		t.Errorf("the content is %s", got)
	}
	signed := slices.Concat(keys[32:], make([]byte, 8), []byte{1}, []byte{0x50, 0x00}, content) // 4,096 as a varint of two bytes
	if !wire.Verify(ann.PublicKey(), "bundle", signed, plain[:64]) {
		t.Error("the signature is over something else")
	}
}

// TestItems: items in any order, twice, and among those of others give the bundle again.
func TestItems(t *testing.T) {
	b := sealed(t, story())
	items, err := bundle.Split(b, secret, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range items {
		if n := len(item) + 100; !slices.Contains(bundle.ItemSizes, n) || i < len(items)-1 && n != 64<<10 {
			t.Errorf("item %d has %d bytes", i, n)
		}
	}
	other, err := bundle.Split(sealed(t, story()[3:4]), secret, 100)
	if err != nil {
		t.Fatal(err)
	}
	list := slices.Concat(items, items, other[1:])
	r := rand.New(rand.NewPCG(1, 0))
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	var g bundle.Gatherer
	came := 0
	for _, item := range list {
		whole, err := g.Add(item, secret)
		if err != nil {
			t.Fatal(err)
		}
		if whole == nil {
			continue
		}
		came++
		got, err := read(bundle.NewSecretReader(bytes.NewReader(whole), secret, keyOf))
		if err != nil || !slices.Equal(got, story()) {
			t.Errorf("%d parts, %v", len(got), err)
		}
	}
	if came == 0 {
		t.Error("nothing came")
	}
	if _, err := g.Add(items[0], [32]byte{9}); !errors.Is(err, bundle.ErrItem) {
		t.Errorf("an item of another drop: %v", err)
	}
	if _, err := read(bundle.NewSecretReader(bytes.NewReader(b), [32]byte{9}, keyOf)); !errors.Is(err, bundle.ErrDamaged) {
		t.Errorf("under another secret: %v", err)
	}
}

// TestGathererBounds: first pieces without end, of bundles that never get whole, are not all kept.
func TestGathererBounds(t *testing.T) {
	var g bundle.Gatherer
	plain := make([]byte, 16+8+60<<10)
	for i := range 1500 {
		plain[0], plain[1] = byte(i), byte(i>>8)
		plain[18], plain[19] = 4, 0 // of 1,024
		plain[22] = 60 << 10 >> 8
		if _, err := g.Add(bundle.SealItem(secret, plain), secret); err != nil {
			t.Fatal(err)
		}
	}
	if held := g.Held(); held > 65<<20 || held < 32<<20 {
		t.Errorf("%d bytes are held", held)
	}
}

// FuzzBundleContent: whatever stands in a bundle that a member sealed and signed, it is read to an end
// or refused, and what was read is written as it was.
func FuzzBundleContent(f *testing.F) {
	from := member(ann)
	head := slices.Concat([]byte{1}, from.Person[:], from.Device[:], make([]byte, 8))
	f.Add(append(slices.Clone(head), 1))
	f.Add(slices.Concat(head, []byte{1}, make([]byte, 32), []byte{2, 0, 0, 0, 1, 7, 0}))
	f.Add(slices.Concat(head, []byte{1}, make([]byte, 32), []byte{2, 255, 255, 255, 255}))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) == 0 {
			return
		}
		r, err := bundle.NewSecretReader(bytes.NewReader(bundle.SealContent(ann, secret, content)), secret, keyOf)
		parts, err := read(r, err)
		if err != nil {
			return
		}
		again, err := read(bundle.NewSecretReader(bytes.NewReader(sealed(t, parts)), secret, keyOf))
		if err != nil || !slices.Equal(again, parts) {
			t.Errorf("%d parts come back as %d, %v", len(parts), len(again), err)
		}
	})
}

// FuzzBundleItem: no item makes more than its own bytes be held.
func FuzzBundleItem(f *testing.F) {
	f.Add(slices.Concat(make([]byte, 16), []byte{0, 0, 0, 1, 0, 0, 0, 1, 7}))
	f.Add(slices.Concat(make([]byte, 16), []byte{0, 0, 255, 255, 255, 255, 255, 255, 7}))
	f.Fuzz(func(t *testing.T, plain []byte) {
		var g bundle.Gatherer
		whole, err := g.Add(bundle.SealItem(secret, plain), secret)
		if g.Held() > len(plain)+24*1024 || err != nil && whole != nil {
			t.Errorf("%d bytes are held of %d", g.Held(), len(plain))
		}
	})
}

// TestLacks: of which drop a bundle is not whole yet is told apart.
func TestLacks(t *testing.T) {
	one, other := [32]byte{1}, [32]byte{2}
	items, err := bundle.Split(make([]byte, 100<<10), one, 0)
	if err != nil {
		t.Fatal(err)
	}
	var g bundle.Gatherer
	for i, item := range items {
		if g.Lacks(one) != (i > 0) || g.Lacks(other) {
			t.Errorf("before item %d: %v, %v", i, g.Lacks(one), g.Lacks(other))
		}
		if _, err := g.Add(item, one); err != nil {
			t.Fatal(err)
		}
	}
	if g.Lacks(one) || len(items) < 2 {
		t.Errorf("%d items, and some lack", len(items))
	}
}
