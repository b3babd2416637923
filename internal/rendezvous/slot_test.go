package rendezvous_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"kith/internal/identity"
	"kith/internal/rendezvous"
	"kith/internal/wire"
)

const hour = uint64(time.Hour / time.Millisecond)

// TestClocksApart: whatever the hour, and with the reader's clock up to an hour off, it
// asks for the slot that was published to in the last two hours.
func TestClocksApart(t *testing.T) {
	for range 4 {
		s := rendezvous.NewSecret()
		for now := uint64(noon); now < noon+13*hour; now += hour / 3 {
			for published := now - 2*hour; published <= now; published += hour / 3 {
				for reader := now - hour; reader <= now+hour; reader += hour / 3 {
					if slots := s.Slots(reader); !slices.Contains(slots, s.Slot(published)) || len(slots) > 2 || slots[0] != s.Slot(reader) {
						t.Fatalf("at %d, published %d, reader's clock %d: asks for %v, it is in %d", now, published, reader, slots, s.Slot(published))
					}
				}
			}
		}
	}
}

// TestNext: who publishes when Next says is found at any time, by a clock an hour off, by
// what it published last.
func TestNext(t *testing.T) {
	for range 4 {
		s := rendezvous.NewSecret()
		for published := uint64(noon); published < noon+13*hour; {
			next := s.Next(published)
			if next <= published || next > published+hour {
				t.Fatalf("after %d comes %d", published, next)
			}
			for _, now := range []uint64{published, next - 1} {
				for _, reader := range []uint64{now - hour, now, now + hour} {
					if !slices.Contains(s.Slots(reader), s.Slot(published)) {
						t.Errorf("published %d, asked for at %d by a clock at %d", published, now, reader)
					}
				}
			}
			if s.Slot(next-1) != s.Slot(published) {
				t.Errorf("published %d: at %d it is another slot, the next time is %d", published, next-1, next)
			}
			published = next
		}
	}
}

// TestSlotsBeginApart: secrets do not change their places together.
func TestSlotsBeginApart(t *testing.T) {
	begins := map[uint64]bool{}
	for range 50 {
		s := rendezvous.NewSecret()
		ms := uint64(noon)
		for at := s.Slot(ms); s.Slot(ms) == at; ms += 60_000 {
		}
		begins[(ms-noon)/60_000] = true
	}
	if len(begins) < 30 {
		t.Errorf("50 secrets change places in %d different minutes", len(begins))
	}
}

// TestOldLink: two months after a link was made its holder finds where the maker is
// today, and nothing of what was published before.
func TestOldLink(t *testing.T) {
	w := startNetwork(t, 24)
	ann := identity.NewDevice()
	s := rendezvous.Secret(wire.Random(32))
	a := client(t, rendezvous.Config{Bootstrap: w.addrs(2)})
	b := client(t, rendezvous.Config{Bootstrap: w.addrs(3)[2:]})
	later := noon + 60*24*hour
	publish(t, a, s, record(ann, s, noon))
	if _, err := b.Find(context.Background(), s, wire.DeviceID{}, at(later)); !errors.Is(err, rendezvous.ErrNotFound) {
		t.Errorf("two months later the old record is found: %v", err)
	}
	r := record(ann, s, later)
	r.Hosts = []string{"/ip4/198.51.100.9/udp/4001/quic-v1"}
	r.Sign(s, ann.Sign)
	publish(t, a, s, r)
	for _, now := range []uint64{later, later - hour, later + hour, later + 2*hour} {
		if got := find(t, b, s, now); !slices.Equal(got.Hosts, r.Hosts) {
			t.Errorf("clock at %d: found %v", int64(now)-int64(later), got.Hosts)
		}
	}
}
