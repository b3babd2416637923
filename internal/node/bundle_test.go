package node_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// bundleFor is a file of all that is new for somebody.
func (p *person) bundleFor(o wire.PersonID) []byte {
	p.t.Helper()
	var b bytes.Buffer
	_, err := p.ExportBundleFor(&b, o, false)
	must(p.t, err)
	return b.Bytes()
}

func (p *person) takes(b []byte) node.BundleRead {
	p.t.Helper()
	read, err := p.ImportBundle(bytes.NewReader(b), spool(p.t))
	must(p.t, err)
	return read
}

// spool is an empty file.
func spool(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "spool"))
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// endless is a file that never ends, and counts what was read of it.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	e.read += len(b)
	return len(b), nil
}

// TestBundleOfNoEnd: of a file that is no bundle, or is one for others, no more is read than says so.
func TestBundleOfNoEnd(t *testing.T) {
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	ben.stop()
	_, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id()})
	must(t, err)
	file := ann.bundleFor(ben.id())
	for _, c := range []struct {
		start  []byte
		reason node.Reason
	}{{nil, node.ReasonNoBundle}, {file, node.ReasonOthersBundle}} {
		var rest endless
		if _, err := ann.ImportBundle(io.MultiReader(bytes.NewReader(c.start), &rest), spool(t)); reason(err) != c.reason || rest.read > 1<<20 {
			t.Errorf("after %d bytes of no end: %v", rest.read, err)
		}
	}
}

// TestBundleOfAPerson: a file for Ben has nothing of a group that he is not in, tells nobody else
// anything, and brings him into one that he is invited to. His answer has his Ack at once.
func TestBundleOfAPerson(t *testing.T) {
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	boat := together(t, "Boat", ann, cleo)
	ben.stop()
	cleo.stop()
	trip, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id(), cleo.id()})
	must(t, err)
	ann.say(boat, "not for Ben")
	file := ann.bundleFor(ben.id())
	ann.stop()

	cleo = cleo.again()
	if _, err := cleo.ImportBundle(bytes.NewReader(file), spool(t)); reason(err) != node.ReasonOthersBundle {
		t.Errorf("Cleo takes what is for Ben: %v", err)
	}
	cleo.stop()

	ben = ben.again()
	for range 2 {
		read := ben.takes(file)
		if len(read.Groups) != 1 || read.Groups[0].Group != trip || !read.Groups[0].Invitation || read.Others != 0 {
			t.Fatalf("Ben is brought %+v", read)
		}
	}
	if _, err := ben.Chat(boat); reason(err) != node.ReasonUnknown {
		t.Errorf("Ben knows of Boat: %v", err)
	}
	must(t, ben.AcceptGroup(trip, false))
	ben.say(trip, "I am in")
	back := ben.bundleFor(ann.id())
	ben.stop()

	ann = ann.again()
	ann.takes(back)
	ann.sees(trip, "I am in")
	if n := ann.accepted(trip); n != 2 {
		t.Errorf("%d of 2 have accepted", n)
	}
	ann.say(trip, "good")
	file = ann.bundleFor(ben.id())
	ann.stop()
	ben = ben.again()
	ben.takes(file)
	back = ben.bundleFor(ann.id())
	ben.stop()
	ann = ann.again()
	ann.takes(back)
	list, _, err := ann.Messages(trip, nil, 1)
	must(t, err)
	if len(list) != 1 || list[0].Reached != 1 {
		t.Errorf("Ann sees of her message %+v", list)
	}
}

// TestBundleOfTheBlocked: who is blocked invites by no file either.
func TestBundleOfTheBlocked(t *testing.T) {
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	ben.stop()
	g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id()})
	must(t, err)
	file := ann.bundleFor(ben.id())
	ann.stop()
	ben = ben.again()
	_, err = ben.BlockFriend(ann.id())
	must(t, err)
	if _, err := ben.ImportBundle(bytes.NewReader(file), spool(t)); reason(err) != node.ReasonStrangeBundle {
		t.Errorf("Ben takes what somebody blocked has made: %v", err)
	}
	if _, err := ben.Chat(g); reason(err) != node.ReasonUnknown {
		t.Errorf("Ben is invited by somebody blocked: %v", err)
	}
}

// TestBundleSize prints the size of a file beside its texts, which have 100 letters each.
// KITH_BUNDLE=10000 makes one of so many more.
func TestBundleSize(t *testing.T) {
	counts := []int{1, 100}
	if n, err := strconv.Atoi(os.Getenv("KITH_BUNDLE")); err == nil {
		counts = append(counts, n)
	}
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	said := 0
	for _, n := range counts {
		for ; said < n; said++ {
			c, err := group.Text(fmt.Sprintf("%0100d", said))
			must(t, err)
			ann.until("Acks of what was written", func() bool { // before them a device writes only so much
				_, err = ann.Send(t.Context(), g, "", c)
				return refusal(err) != group.ReasonUncovered
			})
			must(t, err)
		}
		var b bytes.Buffer
		sums, err := ann.ExportBundle(&b, g, true)
		must(t, err)
		if len(sums) != 1 || sums[0].Entries != n {
			t.Fatalf("%d messages: %+v", n, sums)
		}
		t.Logf("%d messages: %d bytes of text, a file of %d, %.0f for each", n, 100*n, b.Len(), float64(b.Len())/float64(n))
		if most := 32<<10 + n*1024; b.Len() > most {
			t.Errorf("a file of %d messages has %d bytes, more than %d", n, b.Len(), most)
		}
	}
}
