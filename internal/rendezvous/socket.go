package rendezvous

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"kith/internal/wire"
)

const (
	transactionSize = 4
	maxWrongReads   = 100 // in a row; then the socket is of no use
)

// errSilent: a node did not answer in time, or could not be asked.
var errSilent = errors.New("rendezvous: no answer")

// A socket asks nodes of one family. Its one goroutine reads answers.
type socket struct {
	conn   net.PacketConn
	ip6    bool
	shared bool // see Config.Shared
	count  *counters
	done   chan struct{} // closed when the reader has ended
	mu     sync.Mutex    // guards asked
	asked  map[asking]chan reply
	failed atomic.Bool // the reader ended by itself
}

// asking joins an answer to its question: what comes from elsewhere, or with
// another number, is dropped.
type asking struct {
	addr netip.AddrPort
	t    [transactionSize]byte
}

// counters are what a client sent and received, in packets and bytes.
type counters struct{ sent, sentBytes, received, receivedBytes atomic.Uint64 }

func newSocket(conn net.PacketConn, ip6, shared bool, count *counters) *socket {
	s := &socket{conn: conn, ip6: ip6, shared: shared, count: count, done: make(chan struct{}), asked: map[asking]chan reply{}}
	go s.read()
	return s
}

// place is where a node sees us, by what it says of the socket: the port of one that nobody else
// uses is of no interest.
func (s *socket) place(seen netip.AddrPort) netip.AddrPort {
	if s.shared {
		return seen
	}
	return netip.AddrPortFrom(seen.Addr(), 0)
}

// Recognises reports whether a packet may be for a client: an answer begins as a dictionary in
// bencode does that has a key of less than ten letters.
func Recognises(packet []byte) bool {
	return len(packet) > 3 && packet[0] == 'd' && packet[1] >= '0' && packet[1] <= '9' && packet[2] == ':'
}

// close ends the reader and waits for it; questions under way end in their time.
func (s *socket) close() {
	_ = s.conn.Close()
	<-s.done
}

func (s *socket) read() {
	defer close(s.done)
	buf := make([]byte, maxPacket)
	for wrong := 0; ; {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			// On some systems a node that is gone shows as an error of the next read.
			if wrong++; errors.Is(err, net.ErrClosed) || wrong > maxWrongReads {
				s.failed.Store(true)
				return
			}
			continue
		}
		wrong = 0
		s.count.received.Add(1)
		s.count.receivedBytes.Add(uint64(n))
		udp, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		s.take(netip.AddrPortFrom(udp.AddrPort().Addr().Unmap(), udp.AddrPort().Port()), buf[:n])
	}
}

func (s *socket) take(from netip.AddrPort, packet []byte) {
	if !s.expects(from) {
		return // before it is read: whoever was not asked costs us nothing
	}
	r, err := parseReply(append([]byte(nil), packet...))
	if err != nil || len(r.transaction) != transactionSize {
		return
	}
	key := asking{from, [transactionSize]byte(r.transaction)}
	s.mu.Lock()
	answer := s.asked[key]
	delete(s.asked, key)
	s.mu.Unlock()
	if answer != nil {
		answer <- r // of room one, and taken from asked: never blocks
	}
}

func (s *socket) expects(from netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.asked {
		if k.addr == from {
			return true
		}
	}
	return false
}

// ask sends q and waits for its answer, at most queryLimit.
func (s *socket) ask(ctx context.Context, addr netip.AddrPort, q query) (reply, error) {
	key := asking{addr, [transactionSize]byte(wire.Random(transactionSize))}
	answer := make(chan reply, 1)
	s.mu.Lock()
	s.asked[key] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.asked, key)
		s.mu.Unlock()
	}()
	packet := q.encode(key.t[:])
	n, err := s.conn.WriteTo(packet, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return reply{}, errSilent
	}
	s.count.sent.Add(1)
	s.count.sentBytes.Add(uint64(n))
	timer := time.NewTimer(queryLimit)
	defer timer.Stop()
	select {
	case r := <-answer:
		return r, nil
	case <-timer.C:
		return reply{}, errSilent
	case <-s.done:
		return reply{}, errSilent
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}
