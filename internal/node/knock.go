package node

import (
	"context"
	"sync"
	"time"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/peer"
)

// A place is an address on one of the links, and how long others go first.
type place struct {
	link link.Link
	at   link.Address
	wait time.Duration
}

func places(local link.Link, lan link.Address, internet link.Link, hosts []link.Address) (list []place) {
	turn := time.Duration(0)
	if local != nil && len(lan.Hosts) > 0 {
		list, turn = append(list, place{local, lan, 0}), lanTurn
	}
	for _, h := range hosts {
		if internet != nil {
			list = append(list, place{internet, h, turn})
		}
	}
	return list
}

func (p place) dial(ctx context.Context, patience time.Duration) (link.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	turn := time.NewTimer(p.wait)
	defer turn.Stop()
	select {
	case <-turn.C:
		return p.link.Dial(ctx, p.at)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// knock dials all places at once, for one that is out of date often swallows
// packets. Where somebody answers it knocks, at one after the other: two
// sessions at once would push each other out.
func (n *Node) knock(ctx context.Context, as *identity.Device, to peer.Target, list []place, patience time.Duration) (*peer.Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	type answer struct {
		conn link.Conn
		err  error
	}
	answers := make(chan answer)
	var dials sync.WaitGroup
	for _, p := range list {
		dials.Go(func() {
			conn, err := p.dial(ctx, patience)
			answers <- answer{conn, err}
		})
	}
	defer dials.Wait()
	var s *peer.Session
	err := errNoLink
	for range list {
		a := <-answers
		switch {
		case a.err != nil:
			err = a.err
		case s != nil:
			a.conn.Close()
		default:
			timed, over := context.WithTimeout(ctx, patience)
			cfg := n.peerConfig()
			cfg.Device = as
			s, err = peer.Knock(timed, a.conn, cfg, to)
			over()
		}
		if s != nil {
			cancel() // the other dials
		}
	}
	cancel()
	return s, err
}
