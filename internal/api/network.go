package api

import (
	"context"
	"fmt"

	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

func (s *service) GetNetwork(context.Context, *v1.GetNetworkRequest) (*v1.Network, error) {
	return networkOf(s.node.Network()), nil
}

func (s *service) SetNetwork(ctx context.Context, r *v1.SetNetworkRequest) (*v1.Network, error) {
	err := s.node.ChangeSettings(func(is *node.Settings) {
		if r.Relay != nil {
			is.Relay = *r.Relay
		}
		if r.Rendezvous != nil {
			is.NoRendezvous = !*r.Rendezvous
		}
		if r.PortMapping != nil {
			is.NoPortMapping = !*r.PortMapping
		}
	})
	if err != nil {
		return nil, asConnect(err)
	}
	return s.GetNetwork(ctx, nil)
}

// AddMailbox and RemoveMailbox know no mailbox: nothing is left in one yet.
func (s *service) AddMailbox(context.Context, *v1.AddMailboxRequest) (*v1.Network, error) {
	return nil, asConnect(&Error{Reason: ReasonMailbox})
}

func (s *service) RemoveMailbox(context.Context, *v1.RemoveMailboxRequest) (*v1.Network, error) {
	return nil, asConnect(&Error{Reason: ReasonMailbox})
}

func networkOf(n node.Network) *v1.Network {
	out := &v1.Network{
		Reachability: v1.Reachability(n.Reachability), Sentence: reachSentence(n), Addresses: n.Addresses,
		Router: &v1.Router{Nat: v1.NAT(n.NAT), Sentence: routerSentence(n)},
	}
	for _, p := range n.Paths {
		out.Paths = append(out.Paths, &v1.Path{
			Person: personOf(p.Person), Kind: p.Kind, Stage: stageOf(p), Since: p.Since, Tries: uint64(p.Tries),
			NextTry: p.Next, Waiting: uint32(p.Waiting), Sentence: pathSentence(p),
		})
	}
	return out
}

// reachSentence answers whether others can reach this node.
func reachSentence(n node.Network) string {
	switch {
	case n.Reachability == node.ReachableLocal:
		return "Only this machine reaches you: your node listens on no network."
	case n.Reachability == node.ReachablePublic:
		return "On the same Wi-Fi this always works. Over the Internet one of you must be reachable: yours may be, since it has a public address."
	}
	return "On the same Wi-Fi this always works. Over the Internet one of you must be reachable: yours is not."
}

// routerSentence says what stands between this machine and the Internet, as far as others have told.
func routerSentence(n node.Network) string {
	switch n.NAT {
	case node.NATNone:
		return "Others see this machine at its own address: there is no router in between that changes it."
	case node.NATSteady:
		return "Your router shows everybody the same port of yours: two behind such routers can connect directly, once somebody brings them together."
	case node.NATChanging:
		return "Your router shows each of the others another port of yours: who is behind a router too reaches you through a relay only."
	}
	return "Nobody has told yet from where they see this machine."
}

// linkWords says what a kind of link is.
var linkWords = map[string]string{
	"lan":   "on the same local network",
	"quic":  "directly",
	"tcp":   "directly, over TCP",
	"ws":    "directly, over a port that web pages use",
	"relay": "through a relay, which sees that you two talk, when and how much, and nothing of what is said",
	"mem":   "in memory",
}

// stageOf is what is being done to reach somebody now; empty: nothing.
func stageOf(p node.Path) string {
	if p.State != node.PathDialing {
		return ""
	}
	return "trying " + places(p.Places)
}

// pathSentence says how somebody is reached, or why not and what happens next.
func pathSentence(p node.Path) string {
	who := atStart(p.Person)
	switch p.State {
	case node.PathConnected:
		return who + " is connected " + linkWords[p.Kind] + "."
	case node.PathDialing:
		return fmt.Sprintf("Trying to reach %s at %s.", nameOf(p.Person), places(p.Places))
	case node.PathNoAnswer:
		return fmt.Sprintf("%s does not answer at %s: their program is off, or has moved. It is tried again by itself.", who, places(p.Places))
	case node.PathNoAddress:
		return fmt.Sprintf("No address of %s is known. They are found when their program finds yours, over a common group, or by a new contact link of either of you.", nameOf(p.Person))
	case node.PathAsking:
		return fmt.Sprintf("%s has not answered over their contact link yet. It is tried again by itself.", who)
	case node.PathUnaccepted:
		return fmt.Sprintf("%s asks to be your friend, and is connected once you accept.", who)
	case node.PathNoLink:
		return "Your node listens on no network just now."
	}
	return ""
}

func places(n int) string {
	if n == 1 {
		return "one address"
	}
	return fmt.Sprintf("%d addresses", n)
}
