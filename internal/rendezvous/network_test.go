package rendezvous_test

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"golang.org/x/time/rate"
)

// A network is a DHT on loopback: nodes of a library that has nothing to do with our
// client.
type network struct {
	nodes []*dhtNode
	liars []*liar

	mu sync.Mutex // of liars, which read it while more are added
}

type dhtNode struct {
	server *dht.Server
	addr   netip.AddrPort
	id     [20]byte
	mu     sync.Mutex // guards puts and raw
	puts   []krpc.MsgArgs
	raw    [][]byte // every packet that came, if the network listens in
}

// startNetwork starts n nodes that know each other as far as their tables go.
func startNetwork(t testing.TB, n int) *network {
	t.Helper()
	w := &network{}
	for range n {
		w.add(t)
	}
	w.meet()
	return w
}

func (w *network) add(t testing.TB) *dhtNode {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return w.addAt(t, conn)
}

func (w *network) addAt(t testing.TB, conn net.PacketConn) *dhtNode {
	t.Helper()
	var err error
	d := &dhtNode{addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	c := dht.NewDefaultServerConfig()
	c.Conn = &listening{conn, d}
	c.StartingNodes = func() ([]dht.Addr, error) { return nil, nil }
	c.SendLimiter = rate.NewLimiter(rate.Inf, 1)
	c.OnQuery = func(q *krpc.Msg, _ net.Addr) bool {
		// The library looks for nodes near the info hash, whatever is asked; others look
		// near the target of a get, as BEP 44 says.
		if q.A != nil && q.A.InfoHash == (krpc.ID{}) {
			q.A.InfoHash = q.A.Target
		}
		if q.Q == "put" && q.A != nil {
			d.mu.Lock()
			d.puts = append(d.puts, *q.A)
			d.mu.Unlock()
		}
		return true
	}
	if d.server, err = dht.NewServer(c); err != nil {
		t.Fatal(err)
	}
	d.id = d.server.ID()
	t.Cleanup(d.server.Close)
	w.nodes = append(w.nodes, d)
	return d
}

// meet has every node ask every other whether it is there, which fills their tables.
func (w *network) meet() {
	var all []netip.AddrPort
	for _, d := range w.nodes {
		all = append(all, d.addr)
	}
	for _, l := range w.liars {
		all = append(all, l.addr)
	}
	var wait sync.WaitGroup
	for _, d := range w.nodes {
		wait.Go(func() {
			for _, i := range rand.Perm(len(all)) {
				if all[i] != d.addr {
					d.server.Ping(net.UDPAddrFromAddrPort(all[i]))
				}
			}
		})
	}
	wait.Wait()
}

// listening keeps what a node receives.
type listening struct {
	net.PacketConn
	node *dhtNode
}

func (l *listening) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := l.PacketConn.ReadFrom(b)
	if err == nil {
		l.node.mu.Lock()
		l.node.raw = append(l.node.raw, append([]byte(nil), b[:n]...))
		l.node.mu.Unlock()
	}
	return n, from, err
}

func (w *network) addrs(n int) []string {
	var out []string
	for _, d := range w.nodes[:n] {
		out = append(out, d.addr.String())
	}
	return out
}

// holders are the nodes that were given something to keep.
func (w *network) holders() (out []*dhtNode) {
	for _, d := range w.nodes {
		d.mu.Lock()
		if len(d.puts) > 0 {
			out = append(out, d)
		}
		d.mu.Unlock()
	}
	return out
}

const noon = 1_800_000_000_000 // ms: what the tests call now

func at(ms uint64) time.Time { return time.UnixMilli(int64(ms)) }

type tapped struct {
	net.PacketConn
	tap *tap
}

var tapping sync.Mutex // guards the packets of every tap

func (p *tapped) keep(b []byte) {
	tapping.Lock()
	p.tap.packets = append(p.tap.packets, append([]byte(nil), b...))
	tapping.Unlock()
}

func (p *tapped) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.PacketConn.ReadFrom(b)
	if err == nil {
		p.keep(b[:n])
	}
	return n, from, err
}

func (p *tapped) WriteTo(b []byte, to net.Addr) (int, error) {
	p.keep(b)
	return p.PacketConn.WriteTo(b, to)
}
