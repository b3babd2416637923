//go:build linux

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha1"
	"fmt"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
	"golang.org/x/time/rate"

	"kith/internal/natlab"
)

// dhtEnv, if set, has the test binary be the nodes of a DHT in place of tests. Each is told as
// KIND@HOST:PORT. A "node" is of a library that has nothing to do with our client; the others
// answer pings as it does, and gets and puts as liarKinds say.
const dhtEnv = "KITH_TEST_DHT"

// liarKinds are what a hostile node does: it drops what is asked; forges values under another key with
// the greatest number; gives the first value that it was given for ever; stands under an id right at
// whatever is looked for, names more such and has nothing.
var liarKinds = []string{"drops", "forges", "gives old", "sybil"}

// dhtNodes is how many nodes the DHT of a story has.
const dhtNodes = 24

// A testDHT is a DHT on a machine, each node in a network of its own.
type testDHT struct {
	host *natlab.Host
	list []netip.AddrPort // hostile ones last
}

// newDHT starts so many nodes of the library, and hostile ones of all kinds in turn.
func newDHT(t *testing.T, n *natlab.Internet, honest, hostile int) *testDHT {
	t.Helper()
	d := &testDHT{host: n.Host("dht")}
	d.host.Wide()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{self}
	for i := range honest + hostile {
		at, kind := netip.AddrPortFrom(d.host.In24(i), 6881), "node"
		if i >= honest {
			kind = liarKinds[i%len(liarKinds)]
		}
		d.list = append(d.list, at)
		args = append(args, kind+"@"+at.String())
	}
	cmd := d.host.Command(t.Context(), args...)
	cmd.Env = append(os.Environ(), dhtEnv+"=1")
	cmd.Stderr = os.Stderr
	cmd.Cancel = nil
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the DHT did not start: %v", err)
	}
	return d
}

// seeds are the ways in that a person is told, --bootstrap and what follows.
func (d *testDHT) seeds() []string {
	var list []string
	for _, at := range d.list[:3] {
		list = append(list, at.String())
	}
	return []string{"--bootstrap", strings.Join(list, ",")}
}

// insteadOfTests runs the DHT, if that is what this process is started for.
func insteadOfTests() bool {
	if os.Getenv(dhtEnv) == "" {
		return false
	}
	if err := runDHT(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// runDHT is what the test binary does in place of tests, if it is told to.
func runDHT(list []string) error {
	var nodes []*dht.Server
	var places []netip.AddrPort
	for _, word := range list {
		kind, place, _ := strings.Cut(word, "@")
		at, err := netip.ParseAddrPort(place)
		if err != nil {
			return err
		}
		places = append(places, at)
		conn, err := net.ListenPacket("udp4", place)
		if err != nil {
			return err
		}
		if kind != "node" {
			l := &liar{kind: kind, conn: conn, first: make(map[krpc.ID]krpc.MsgArgs)}
			_, _ = rand.Read(l.id[:])
			go l.serve(&places)
			continue
		}
		c := dht.NewDefaultServerConfig()
		c.Conn = conn
		c.StartingNodes = func() ([]dht.Addr, error) { return nil, nil }
		c.SendLimiter = rate.NewLimiter(rate.Inf, 1)
		c.OnQuery = func(q *krpc.Msg, _ net.Addr) bool {
			if q.A != nil && q.A.InfoHash == (krpc.ID{}) {
				q.A.InfoHash = q.A.Target // the library looks near the info hash, whatever is asked
			}
			return true
		}
		s, err := dht.NewServer(c)
		if err != nil {
			return err
		}
		nodes = append(nodes, s)
	}
	var wait sync.WaitGroup
	for _, s := range nodes {
		wait.Go(func() {
			for _, j := range mrand.Perm(len(places)) {
				s.Ping(net.UDPAddrFromAddrPort(places[j]))
			}
		})
	}
	wait.Wait()
	fmt.Println("ready")
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	<-end
	return nil
}

// A liar is a hostile node.
type liar struct {
	kind  string
	id    krpc.ID
	conn  net.PacketConn
	first map[krpc.ID]krpc.MsgArgs // by place, what it was given first
}

// serve answers until the process ends. all is whole before anybody is asked.
func (l *liar) serve(all *[]netip.AddrPort) {
	b := make([]byte, 4096)
	for {
		n, from, err := l.conn.ReadFrom(b)
		if err != nil {
			return
		}
		var q krpc.Msg
		if bencode.Unmarshal(b[:n], &q) != nil || q.A == nil || q.Y != "q" {
			continue
		}
		if m := l.answer(q, *all); m != nil {
			_, _ = l.conn.WriteTo(bencode.MustMarshal(m), from)
		}
	}
}

func (l *liar) answer(q krpc.Msg, all []netip.AddrPort) *krpc.Msg {
	token := "token"
	r := &krpc.Return{ID: l.id}
	m := &krpc.Msg{T: q.T, Y: "r", R: r}
	if q.Q == "ping" {
		return m
	}
	r.Token = &token
	if q.Q == "put" {
		if place := krpc.ID(sha1.Sum(q.A.K[:])); l.first[place].Seq == nil {
			l.first[place] = *q.A
		}
		return m
	}
	switch l.kind {
	case "drops":
		return nil
	case "forges":
		key := ed25519.NewKeyFromSeed(make([]byte, 32))
		p := bep44.Put{V: strings.Repeat("7", 636), K: (*[32]byte)(key.Public().(ed25519.PublicKey)), Seq: 1 << 40}
		p.Sign(key)
		r.V, r.K, r.Sig, r.Seq = bencode.MustMarshal(p.V), *p.K, p.Sig, &p.Seq
	case "gives old":
		if a, ok := l.first[q.A.Target]; ok {
			r.V, r.K, r.Sig, r.Seq = bencode.MustMarshal(a.V), a.K, a.Sig, a.Seq
		}
	case "sybil":
		r.ID = near(q.A.Target, 0)
		for i, at := range all[2*len(all)/3:] { // the hostile ones
			if len(r.Nodes) < 16 {
				r.Nodes = append(r.Nodes, krpc.NodeInfo{ID: near(q.A.Target, byte(i+1)), Addr: krpc.NodeAddr{IP: at.Addr().AsSlice(), Port: int(at.Port())}})
			}
		}
	}
	return m
}

// near is an id right at a place.
func near(place krpc.ID, i byte) krpc.ID {
	place[19] ^= i
	place[18] ^= 1
	return place
}

// serveMailbox runs a mailbox on a machine, and returns its address.
func serveMailbox(t *testing.T, h *natlab.Host) string {
	t.Helper()
	cmd := h.Command(t.Context(), kithHere(t), "mailbox", "serve", "--dir", t.TempDir())
	return firstLine(t, cmd, "kithbox:")
}

// firstLine starts a program that ends with the test, and returns the first line that it says.
func firstLine(t *testing.T, cmd *exec.Cmd, begins string) string {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var line []byte
	for b := make([]byte, 1); len(line) == 0 || b[0] != '\n'; line = append(line, b[0]) {
		if _, err := out.Read(b); err != nil {
			t.Fatalf("%s says %q, then %v", cmd.Path, line, err)
		}
	}
	if !strings.HasPrefix(string(line), begins) {
		t.Fatalf("%s says %q", cmd.Path, line)
	}
	return strings.TrimSpace(string(line))
}
