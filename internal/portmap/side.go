package portmap

import (
	"context"
	mrand "math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Indexes of the two protocols.
const (
	udp = iota
	tcp
)

// A held is what a router forwards for us.
type held struct {
	external [2]netip.AddrPort // by protocol; not valid: not mapped
	lease    time.Duration     // the shortest; 0: for ever
}

// A router is a gateway that answered to one way.
type router interface {
	// keep maps both protocols, or renews was. It fails if neither is mapped.
	keep(ctx context.Context, was held, lease time.Duration) (held, error)
	// release takes them back.
	release(ctx context.Context, was held)
	// restarted reports whether what the gateway told all means that it lost ours.
	restarted(heard announcement) bool
}

// A side keeps the port mapped in one IP family. All its fields but kick belong to run.
type side struct {
	m    *Mapper
	six  bool
	kick chan struct{}

	route  Route
	way    Way
	router router // nil: none maps for us
	held   held
	tried  [ways]Reason
	retry  time.Duration

	ear      *ear // nil: not listening
	restarts int  // believed since calm
	calm     time.Time
}

func newSide(m *Mapper, six bool) *side {
	return &side{m: m, six: six, kick: make(chan struct{}, 1), retry: m.cfg.pace.retry}
}

// run goes round until ctx ends, and takes back what is mapped.
func (s *side) run(ctx context.Context) {
	defer s.leave()
	for ctx.Err() == nil {
		next := time.NewTimer(s.round(ctx))
		s.wait(ctx, next.C)
		next.Stop()
	}
}

// wait returns when it is time for another round.
func (s *side) wait(ctx context.Context, next <-chan time.Time) {
	for {
		var heard <-chan announcement
		if s.ear != nil {
			heard = s.ear.heard
		}
		select {
		case <-ctx.Done():
			return
		case <-next:
			return
		case <-s.kick:
			s.retry = s.m.cfg.pace.retry
			return
		case a, ok := <-heard:
			if !ok {
				s.deafen()
			} else if s.router != nil && s.router.restarted(a) && s.believed() {
				s.m.log.Debug("the router started again", "six", s.six)
				return
			}
		}
	}
}

// believed bounds how often an announcement leads to a round.
func (s *side) believed() bool {
	if now := time.Now(); now.Sub(s.calm) >= restartPause {
		s.restarts, s.calm = 0, now
	}
	s.restarts++
	return s.restarts <= restartBurst
}

// round asks once, and returns the pause until the next.
func (s *side) round(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	route, err := s.m.cfg.Route(s.six)
	route.patience = s.m.cfg.pace.ask
	why := reasonOf(err)
	if err == nil {
		why = route.needed()
	} else if why == NoAnswer {
		why = NoGateway
	}
	if why != Works {
		s.drop()
		now := unasked()
		now.Gateway, now.Reason = route.Gateway, why
		return s.without(ctx, now)
	}
	if route != s.route {
		s.drop()
		s.route = route
	}
	if s.router != nil {
		h, err := s.router.keep(ctx, s.held, s.m.cfg.pace.lease)
		if err == nil {
			return s.with(h)
		}
		s.drop()
	}
	if h, ok := s.search(ctx); ok {
		return s.with(h)
	}
	return s.without(ctx, Side{Gateway: route.Gateway, Reason: worst(s.tried[:]), Tried: s.tried})
}

// with publishes that h is mapped.
func (s *side) with(h held) time.Duration {
	s.held = h
	s.retry = s.m.cfg.pace.retry
	now := Side{Gateway: s.route.Gateway, Way: s.way, UDP: h.external[udp], TCP: h.external[tcp], Tried: s.tried}
	lease := h.lease
	if lease > 0 {
		now.Until = time.Now().Add(lease)
	} else {
		lease = s.m.cfg.pace.lease // it may have been forgotten all the same
	}
	at := now.UDP
	if !at.IsValid() {
		at = now.TCP
	}
	now.Reason = outside(at.Addr())
	s.listen()
	s.m.publish(s.six, now)
	half := lease / 2
	return max(s.m.cfg.pace.least, half-mrand.N(half/8+1))
}

// without publishes that nothing is mapped. A round that was cut short says nothing.
func (s *side) without(ctx context.Context, now Side) time.Duration {
	if ctx.Err() != context.Canceled {
		s.m.publish(s.six, now)
	}
	pause := s.retry
	s.retry = min(2*s.retry, lastRetry)
	return pause
}

// drop forgets a router that is no longer ours, or forgot us.
func (s *side) drop() {
	s.deafen()
	s.router, s.way, s.held = nil, NoWay, held{}
}

// leave takes the mappings back.
func (s *side) leave() {
	if s.router != nil {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		s.router.release(ctx, s.held)
	}
	s.drop()
}

// A finding is what became of looking for one way.
type finding struct {
	way    Way
	router router
	err    error
}

// search tries all ways side by side, and maps by the best that works.
func (s *side) search(ctx context.Context) (held, bool) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()

	s.tried = unasked().Tried
	probes := s.probes()
	findings := make(chan finding, len(probes))
	open := make(map[Way]bool) // ways that have not answered
	for way, probe := range probes {
		open[way] = true
		wg.Go(func() {
			r, err := probe(ctx)
			findings <- finding{way, r, err}
		})
	}
	ready := make(map[Way]router)
	var late <-chan time.Time
	patient := true // better ways may still come
	for {
		if way, ok := bestOf(ready, open, patient); ok {
			h, err := ready[way].keep(ctx, held{}, s.m.cfg.pace.lease)
			if err == nil {
				s.tried[way-1] = Works
				s.way, s.router = way, ready[way]
				return h, true
			}
			s.tried[way-1] = reasonOf(err)
			if s.tried[way-1] == NoAnswer { // it is there, and silent when asked to map
				s.tried[way-1] = Refused
			}
			delete(ready, way)
			continue
		}
		if len(open) == 0 && len(ready) == 0 || ctx.Err() != nil {
			return held{}, false
		}
		select {
		case f := <-findings:
			delete(open, f.way)
			if f.err != nil {
				s.tried[f.way-1] = reasonOf(f.err)
				continue
			}
			ready[f.way] = f.router
			if late == nil {
				late = time.After(head)
			}
		case <-late:
			patient = false
		case <-ctx.Done():
		}
	}
}

// bestOf is the best way that is ready, unless a better one may still come.
func bestOf(ready map[Way]router, open map[Way]bool, patient bool) (Way, bool) {
	for way := PCP; way <= UPnP; way++ {
		if ready[way] != nil {
			return way, true
		}
		if open[way] && patient {
			return NoWay, false
		}
	}
	return NoWay, false
}

// probes look for a gateway that answers, without mapping anything. To an IPv6
// gateway only PCP can speak.
func (s *side) probes() map[Way]func(context.Context) (router, error) {
	route, port := s.route, s.m.cfg.Port
	all := map[Way]func(context.Context) (router, error){
		PCP: func(ctx context.Context) (router, error) { return findPCP(ctx, route, port, s.m.cfg.Nonce) },
	}
	if !s.six {
		all[NATPMP] = func(ctx context.Context) (router, error) { return findPMP(ctx, route, port) }
		all[UPnP] = func(ctx context.Context) (router, error) { return findIGD(ctx, route, port) }
	}
	return all
}

// listen hears the gateway from now on, if it is one that announces.
func (s *side) listen() {
	if s.ear == nil && slices.Contains([]Way{PCP, NATPMP}, s.way) {
		s.ear = openEar(s.route)
	}
}

func (s *side) deafen() {
	if s.ear != nil {
		s.ear.close()
		s.ear = nil
	}
}
