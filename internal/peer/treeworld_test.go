package peer_test

import (
	pq "container/heap"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kith/internal/peer"
	"kith/internal/wire"
)

// A treeWorld drives many trees through one queue of events ordered by virtual time:
// sessions that take round trips to come up, lines of a given width, messages
// that get lost, devices that come and go. Every frame is encoded and parsed.
type treeWorld struct {
	t      testing.TB
	random *rand.Rand
	cfg    treeConfig
	trips  [][]float64 // ms, between regions
	nodes  []*treeNode
	ids    []wire.DeviceID
	queue  eventQueue
	order  uint64
	now    int64 // µs

	hostile int  // so many of the first are
	bares   bool // they give headers without the text
	sent    []*treePost
	count   traffic
}

type treeConfig struct {
	nodes   int
	size    int     // bytes of a payload
	upload  float64 // Mbit/s of each
	loss    float64 // share of frames that get lost
	vanish  bool    // for good; else their session repeats them a round trip later
	churn   bool    // 1 % of the members go, and as many come, each 6 s: sessions of ten minutes
	publish int     // payloads that are measured
	flood   bool    // every neighbour gets every payload, nothing else is said
}

// Of lines and frames.
const (
	// lineTrip is the way from a home to the next data centre, in ms, there and back: 5
	// to 25.
	lineLeast, lineMost = 5.0, 25.0
	// frameRoom is what is around a frame: fragment 35, seal 17, length and number 5.
	frameRoom = 57
	// packetRoom is what is around 1,200 bytes of a session: IP, UDP, QUIC and its
	// seal.
	packetRoom, packetSize = 60, 1200
	// repeatAfter is what a session waits beside a round trip until it repeats what is not
	// acknowledged, in µs.
	repeatAfter = 50_000
	// noticed is after how long a session with a device that fell silent is given up, in
	// µs (docs/benchmarks.md: a cut cable).
	noticed = 6_000_000
)

type treeNode struct {
	tree   *peer.Tree
	region int
	line   float64 // ms
	online bool
	since  int64 // µs
	life   int   // how often it has come
	free   int64 // µs; when its line has sent what waits
	wake   int64 // µs; 0: none
	links  map[int]bool
}

type treePost struct {
	at     int64 // µs
	by     int
	frame  []byte
	counts bool
	got    map[int]int64 // µs
	copies int
}

type traffic struct {
	control, payload int64 // bytes sent, what is around them included
	counting         bool
}

type event struct {
	at    int64
	order uint64
	do    func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = event{}
	*q = (*q)[:len(*q)-1]
	return last
}

func newTreeWorld(t testing.TB, seed uint64, cfg treeConfig) *treeWorld {
	w := &treeWorld{t: t, cfg: cfg, random: rand.New(rand.NewPCG(seed, 0))}
	var shares []float64
	w.trips, shares = readRegions(t)
	total := cfg.nodes
	if cfg.churn {
		total += cfg.nodes / 10 // who is away
	}
	for i := range total {
		var id wire.DeviceID
		binary.BigEndian.PutUint32(id[:], uint32(i))
		binary.BigEndian.PutUint64(id[24:], w.random.Uint64())
		w.ids = append(w.ids, id)
		at := w.random.Float64() * 100
		region := 0
		for at -= shares[0]; at > 0 && region < len(shares)-1; at -= shares[region] {
			region++
		}
		w.nodes = append(w.nodes, &treeNode{region: region, line: lineLeast + w.random.Float64()*(lineMost-lineLeast)})
	}
	for i := range cfg.nodes { // they come within ten seconds
		w.after(int64(i)*10_000_000/int64(cfg.nodes), func() { w.come(i) })
	}
	return w
}

func readRegions(t testing.TB) (trips [][]float64, shares []float64) {
	t.Helper()
	b, err := os.ReadFile("testdata/regions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(fields) == 0 {
			continue
		}
		var row []float64
		for _, f := range fields[1:] {
			v, err := strconv.ParseFloat(f, 64)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, v)
		}
		trips, shares = append(trips, row[:len(row)-1]), append(shares, row[len(row)-1])
	}
	for i := range trips {
		for j := range trips {
			if len(trips[i]) != len(trips) || trips[i][j] != trips[j][i] {
				t.Fatalf("testdata/regions.txt is not symmetric at %d, %d", i, j)
			}
		}
	}
	return trips, shares
}

func (w *treeWorld) after(us int64, do func()) {
	w.order++
	pq.Push(&w.queue, event{w.now + us, w.order, do})
}

// run goes on for so many seconds.
func (w *treeWorld) run(seconds float64) {
	until := w.now + int64(seconds*1e6)
	for len(w.queue) > 0 && w.queue[0].at <= until {
		e := pq.Pop(&w.queue).(event)
		w.now = e.at
		e.do()
	}
	w.now = until
}

// way is how long a frame takes from line to line, in µs.
func (w *treeWorld) way(a, b int) int64 {
	x, y := w.nodes[a], w.nodes[b]
	return int64((w.trips[x.region][y.region] + x.line + y.line) / 2 * 1000)
}

func (w *treeWorld) come(i int) {
	n := w.nodes[i]
	n.online, n.since, n.life = true, w.now, n.life+1
	n.links = make(map[int]bool)
	n.free, n.wake = 0, 0
	var seed [32]byte
	for k := range 4 {
		binary.BigEndian.PutUint64(seed[8*k:], w.random.Uint64())
	}
	n.tree = peer.NewTree(w.ids[i], seed)
	w.step(i, peer.Members{Devices: w.ids})
}

// goes takes a node away: its neighbours hear of it at once, or when its silence is
// noticed.
func (w *treeWorld) goes(i int, crash bool) {
	n := w.nodes[i]
	n.online, n.tree = false, nil
	for _, other := range slices.Sorted(maps.Keys(n.links)) {
		wait := w.way(i, other)
		if crash {
			wait += noticed
		}
		life := w.nodes[other].life
		w.after(wait, func() {
			if o := w.nodes[other]; o.online && o.life == life && o.links[i] {
				delete(o.links, i)
				w.step(other, peer.PeerDown{Device: w.ids[i]})
			}
		})
	}
}

func (w *treeWorld) step(i int, c peer.Cause) {
	n := w.nodes[i]
	eff := n.tree.Step(peer.Input{Now: uint64(w.now/1000) + 1, Cause: c})
	for _, f := range eff.Send {
		w.send(i, f)
	}
	for _, d := range eff.Connect {
		w.connect(i, w.index(d))
	}
	for _, d := range eff.Disconnect {
		w.disconnect(i, w.index(d))
	}
	if at := int64(eff.Wake)*1000 - 1000; eff.Wake != 0 && (n.wake == 0 || at < n.wake || n.wake <= w.now) {
		n.wake = at
		life := n.life
		w.after(max(at-w.now, 0), func() {
			if n.online && n.life == life && n.wake == at {
				n.wake = 0
				w.step(i, peer.Tick{})
			}
		})
	}
	for _, d := range eff.Deliver {
		w.deliver(i, d)
	}
}

func (w *treeWorld) index(d wire.DeviceID) int { return int(binary.BigEndian.Uint32(d[:])) }

func (w *treeWorld) send(i int, f peer.Frame) {
	b, copied := f.Bytes, f.Payload != nil
	var p *treePost
	switch {
	case i >= w.hostile || w.index(f.To) < w.hostile:
	case copied:
		if w.bares {
			w.bare(i, w.index(f.To), w.sent[binary.BigEndian.Uint32(f.Payload[:])])
		}
		return // it gives nothing
	case b[0] == 2:
		b = w.gang(b[1])
	}
	if copied {
		p = w.sent[binary.BigEndian.Uint32(f.Payload[:])]
		b = p.frame
	}
	w.carry(i, w.index(f.To), len(b), copied, func(to int) {
		if copied {
			w.copied(p)
		}
		w.step(to, peer.Heard{From: w.ids[i], Frame: b})
	})
}

// carry takes bytes from one node to another, if there is a session and they do not
// get lost.
func (w *treeWorld) carry(from, to, size int, payload bool, arrive func(to int)) {
	n, o := w.nodes[from], w.nodes[to]
	if !n.links[to] {
		return
	}
	size += frameRoom
	size += (size + packetSize - 1) / packetSize * packetRoom
	if w.count.counting && payload {
		w.count.payload += int64(size)
	} else if w.count.counting {
		w.count.control += int64(size)
	}
	n.free = max(n.free, w.now) + int64(float64(size)*8/w.cfg.upload)
	wait := n.free - w.now + w.way(from, to)
	if w.random.Float64() < w.cfg.loss {
		if w.cfg.vanish {
			return
		}
		wait += 2*w.way(from, to) + repeatAfter
	}
	life := o.life
	w.after(wait, func() {
		if o.online && o.life == life && o.links[from] {
			arrive(to)
		}
	})
}

// connect dials: three round trips, for the link and the knock.
func (w *treeWorld) connect(i, j int) {
	n, o := w.nodes[i], w.nodes[j]
	life, lives := n.life, o.life
	w.after(6*w.way(i, j), func() {
		if !n.online || n.life != life || !o.online || o.life != lives || n.links[j] {
			return
		}
		n.links[j], o.links[i] = true, true
		w.step(i, peer.PeerUp{Device: w.ids[j]})
		if o.links[i] {
			w.step(j, peer.PeerUp{Device: w.ids[i]})
		}
	})
}

// disconnect ends a session that neither side needs.
func (w *treeWorld) disconnect(i, j int) {
	n, o := w.nodes[i], w.nodes[j]
	life, lives := n.life, o.life
	w.after(2*w.way(i, j)+1_000_000, func() {
		if !n.online || n.life != life || !o.online || o.life != lives || !n.links[j] || w.near(i, j) || w.near(j, i) {
			return
		}
		delete(n.links, j)
		delete(o.links, i)
		w.step(i, peer.PeerDown{Device: w.ids[j]})
		w.step(j, peer.PeerDown{Device: w.ids[i]})
	})
}

func (w *treeWorld) near(i, j int) bool {
	_, near := w.nodes[i].tree.Neighbours()[w.ids[j]]
	return near
}
