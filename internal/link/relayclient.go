package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// A keeper keeps the reservation at one relay, in a goroutine of its own.
//
//	         turn         reserved
//	waiting ------> asking -------> held
//	   ^   <---------  |             |
//	   +---------------+-------------+
//	       failed, ended; then later each time
//
// No more than MaxReservations ask or hold, and a keeper that has not asked yet
// comes before all behind it.
type keeper struct {
	link  *direct
	relay Relay
	id    peer.ID
	key   publicKey
	stop  context.CancelFunc
	poke  chan struct{} // the network has changed

	// Guarded by the link's mu.
	state  keeperState
	tried  bool
	hosts  []string // where others call us
	report RelayState
	pulse  *pulse // of the connection, while held
}

type keeperState int

const (
	keeperWaiting keeperState = iota
	keeperAsking
	keeperHeld
)

func (d *direct) UseRelays(relays []Relay) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut || d.cfg.LAN {
		relays = nil
	}
	old := d.keepers
	d.keepers = nil
	for _, r := range relays[:min(len(relays), maxRelays)] {
		if i := slices.IndexFunc(old, func(k *keeper) bool { return k.relay.same(r) }); i >= 0 {
			d.keepers = append(d.keepers, old[i])
			old = slices.Delete(slices.Clone(old), i, i+1)
			continue
		}
		if k, ctx := d.newKeeper(r); k != nil {
			d.keepers = append(d.keepers, k)
			d.wg.Go(func() { k.run(ctx) })
		}
	}
	for _, k := range old {
		k.stop()
	}
	d.nextTurn()
}

func (r Relay) same(other Relay) bool {
	return slices.Equal(r.Address.Peer, other.Address.Peer) && slices.Equal(r.Address.Hosts, other.Address.Hosts) && r.Ticket == other.Ticket
}

// newKeeper returns nil where r names no relay that could be used.
func (d *direct) newKeeper(r Relay) (*keeper, context.Context) {
	id := peer.ID(r.Address.Peer)
	key, err := keyOf(id)
	if err != nil || id == d.id {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &keeper{
		link: d, relay: r, id: id, key: key, stop: cancel, poke: make(chan struct{}, 1),
		report: RelayState{Peer: r.Address.Peer},
	}, ctx
}

func (d *direct) Relays() []RelayState {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []RelayState
	for _, k := range d.keepers {
		all = append(all, k.report)
	}
	return all
}

// relayHosts are the hosts in Address that are relays: one of each reservation, then a second
// of the first.
func (d *direct) relayHosts() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first, more []string
	for _, k := range d.keepers {
		if k.state == keeperHeld {
			first = append(first, k.hosts[0])
			more = append(more, k.hosts[1:]...)
		}
	}
	all := append(first, more...)
	return all[:min(len(all), MaxReservations)]
}

// stirRelays looks after all reservations at once: the network has changed.
func (d *direct) stirRelays() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.keepers {
		if k.pulse != nil {
			k.pulse.wrote() // it ends the connection, unless something comes
		}
		select {
		case k.poke <- struct{}{}:
		default:
		}
	}
}

// nextTurn lets the keepers look whose turn it is. The caller holds mu.
func (d *direct) nextTurn() {
	close(d.turn)
	d.turn = make(chan struct{})
}

// run keeps the reservation until ctx ends.
func (k *keeper) run(ctx context.Context) {
	for wait := relayRetry; k.myTurn(ctx); wait = min(2*wait, relayRetryMost) {
		since, err := k.hold(ctx)
		k.set(keeperWaiting, func() {
			k.pulse, k.hosts = nil, nil
			k.report = RelayState{Peer: k.report.Peer, Err: err}
		})
		if !since.IsZero() {
			k.link.tellChanged()
			if time.Since(since) > relayLast {
				wait = relayRetry
			}
		}
		late := time.NewTimer(wait*3/4 + rand.N(wait/2))
		select {
		case <-late.C:
		case <-k.poke:
			wait = relayRetry
		case <-ctx.Done():
		}
		late.Stop()
	}
}

// set changes the state and what else change does.
func (k *keeper) set(s keeperState, change func()) {
	k.link.mu.Lock()
	defer k.link.mu.Unlock()
	k.state = s
	change()
	k.link.nextTurn()
}

// myTurn waits until this relay may be asked; it is false at the end of ctx.
func (k *keeper) myTurn(ctx context.Context) bool {
	d := k.link
	for {
		d.mu.Lock()
		before, others := true, 0
		for _, o := range d.keepers {
			switch {
			case o == k:
				before = false
			case o.state != keeperWaiting, before && !o.tried:
				others++
			}
		}
		free := others < MaxReservations && ctx.Err() == nil
		if free {
			k.state, k.tried = keeperAsking, true
		}
		turn := d.turn
		d.mu.Unlock()
		if free {
			return true
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return false
		}
	}
}

// hold asks for a reservation and returns when it ends: since when it held, or
// zero, and why it does not.
func (k *keeper) hold(ctx context.Context) (since time.Time, err error) {
	d := k.link
	hosts := slices.DeleteFunc(d.dialable(k.relay.Address.Hosts), host.relayed)
	if len(hosts) == 0 {
		return since, ErrNoHost
	}
	asking, cancel := d.until(ctx, dialLimit)
	defer cancel()
	raw, err := d.race(asking, k.id, hosts, dialStagger)
	if err != nil {
		return since, ErrUnreachable
	}
	ended := make(chan struct{})
	d.wg.Go(func() {
		alone(raw)
		close(ended)
	})
	defer func() {
		raw.Close()
		<-ended
	}()
	stop := context.AfterFunc(asking, func() { raw.Close() })
	defer stop()
	s, err := openRelay(asking, raw)
	if err != nil {
		return since, problem(err)
	}
	answer, err := exchange(s, relayFrame{kind: kindReserve, ticket: k.relay.Ticket}, kindReserved)
	if err != nil {
		return since, problem(err)
	}
	at, ok := hostAt(raw)
	if !stop() || !ok {
		return since, ErrUnreachable
	}
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	since = time.Now()
	k.held(at, hosts, answer, since)
	beats := newPulse(raw, true, d.wg.Go)
	k.set(keeperHeld, func() { k.pulse = beats })
	d.wg.Go(func() {
		if beats.run(ended) {
			raw.Close()
		}
	})
	d.tellChanged()
	return since, k.takeOffers(ctx, s, at)
}

// held notes what is known of a reservation.
func (k *keeper) held(at host, hosts []host, answer relayFrame, since time.Time) {
	// Where we reached it, unless others need its public address.
	places := []host{at}
	for _, h := range hosts {
		if h != at && IsPublic(h.at.Addr()) == IsPublic(at.at.Addr()) && h.over != at.over {
			places = append(places, h)
		}
	}
	// IPv4 before IPv6, which fewer have: it may have been reached by that.
	slices.SortStableFunc(places[1:], func(a, b host) int { return a.at.Addr().BitLen() - b.at.Addr().BitLen() })
	if !IsPublic(at.at.Addr()) {
		if i := slices.IndexFunc(hosts, func(h host) bool { return IsPublic(h.at.Addr()) }); i >= 0 {
			places = []host{hosts[i]}
		}
	}
	var texts []string
	for _, h := range places {
		texts = append(texts, h.via(k.key).String())
	}
	k.link.mu.Lock()
	defer k.link.mu.Unlock()
	k.hosts = texts
	k.report = RelayState{Peer: k.report.Peer, Host: texts[0], Observed: answer.observed.String(), Since: since}
}

// takeOffers takes each offer of the relay. While relayOffers are under way it reads no
// further one, so that a relay cannot make us do more at once.
func (k *keeper) takeOffers(ctx context.Context, r interface{ Read([]byte) (int, error) }, at host) error {
	under := make(chan struct{}, relayOffers)
	for {
		f, err := readRelayFrame(r, kindOffer)
		if err != nil {
			return problem(err)
		}
		under <- struct{}{}
		k.link.wg.Go(func() {
			k.link.take(ctx, at.via(k.key), f.token)
			<-under
		})
	}
}

// problem is what people are told of err.
func problem(err error) error {
	for _, known := range []error{ErrRelayFull, ErrRelayTicket, ErrRelayOff, ErrRelayBroken, ErrNotPostQuantum} {
		if errors.Is(err, known) {
			return known
		}
	}
	return ErrUnreachable
}
