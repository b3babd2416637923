package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kith/internal/node"
	"kith/internal/portmap"
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
		if r.QuietMail != nil {
			is.QuietMail = *r.QuietMail
		}
	})
	if err != nil {
		return nil, asConnect(err)
	}
	return s.GetNetwork(ctx, nil)
}

func (s *service) AddMailbox(ctx context.Context, r *v1.AddMailboxRequest) (*v1.Network, error) {
	if err := s.node.AddMailbox(r.Address); err != nil {
		return nil, asConnect(err)
	}
	return s.GetNetwork(ctx, nil)
}

func (s *service) RemoveMailbox(ctx context.Context, r *v1.RemoveMailboxRequest) (*v1.Network, error) {
	if err := s.node.RemoveMailbox(r.Id); err != nil {
		return nil, asConnect(err)
	}
	return s.GetNetwork(ctx, nil)
}

func networkOf(n node.Network) *v1.Network {
	out := &v1.Network{
		Reachability: v1.Reachability(n.Reachability), Sentence: reachSentence(n), Addresses: n.Addresses,
		Router: routerOf(n), Relaying: relayingOf(n), QuietMail: n.QuietMail,
		Rendezvous: &v1.Rendezvous{
			On: n.Finder.On, Nodes: uint32(n.Finder.Nodes), Published: n.Finder.Left, Found: n.Finder.Found, Sentence: rendezvousSentence(n),
		},
	}
	for _, p := range n.Paths {
		out.Paths = append(out.Paths, &v1.Path{
			Person: personOf(p.Person), Kind: p.Kind, Stage: stageOf(p), Since: p.Since, Tries: uint64(p.Tries),
			NextTry: p.Next, Waiting: uint32(p.Waiting), Sentence: pathSentence(p), AtMailbox: p.Mailbox,
		})
	}
	for _, m := range n.Mailboxes {
		out.Mailboxes = append(out.Mailboxes, &v1.Mailbox{
			Id: m.ID.String(), Address: m.Place, Ready: m.Ready, Asked: m.Asked, Left: uint32(m.Left), Sentence: mailboxSentence(m, n.QuietMail), Untold: uint32(m.Untold),
		})
	}
	for _, r := range n.Relays {
		out.Relays = append(out.Relays, &v1.RelayUsed{Name: r.By.Name, Address: r.Host, Ready: r.Ready, Sentence: relaySentence(r)})
	}
	return out
}

// reachSentence answers whether others can reach this node.
func reachSentence(n node.Network) string {
	ready := slices.ContainsFunc(n.Relays, func(r node.RelayUsed) bool { return r.Ready })
	switch {
	case n.Reachability == node.ReachableLocal:
		return "Only this machine reaches you: your node listens on no network."
	case n.Reached:
		return "Others reach you from everywhere: a friend's program has tried it."
	case n.Router.IPv4.Mapped() && n.Router.IPv4.Reason == portmap.Works:
		return "Others should reach you from everywhere: your router lets them in."
	case ready:
		return "Others reach you through a friend's relay, and directly where the routers in between let them."
	case n.Reachability == node.ReachablePublic && !n.Tried:
		return "On the same Wi-Fi this always works. Over the Internet others may reach you, since you have a public address; nobody has tried yet."
	case n.Reachability == node.ReachablePublic:
		return "On the same Wi-Fi this always works. You have a public address, and a firewall keeps others out: two friends who look for each other at the same time mostly still connect."
	}
	return "On the same Wi-Fi this always works. Over the Internet two friends who look for each other at the same time mostly connect; it is sure where one of you can be reached, or a friend carries for you."
}

func routerOf(n node.Network) *v1.Router {
	side := n.Router.IPv4
	out := &v1.Router{Nat: v1.NAT(n.NAT), Asking: n.Asks, Way: side.Way.String(), Sentence: routerSentence(n)}
	if side.UDP.IsValid() {
		out.External = side.UDP.String()
	}
	return out
}

// routerSentence says what stands between this machine and the Internet, as far as the router and
// others have told.
func routerSentence(n node.Network) string {
	asked := askedSentence(n)
	switch n.NAT {
	case node.NATNone:
		return asked + "Others see this machine at its own address: no router changes it."
	case node.NATSteady:
		return asked + "It shows everybody the same port of yours, so two behind such routers can connect directly."
	case node.NATChanging:
		return asked + "It shows each of the others another port of yours: somebody who is behind such a router too reaches you through a relay only."
	}
	return strings.TrimSpace(asked)
}

// askedSentence says what came of asking the router, with a space behind it.
func askedSentence(n node.Network) string {
	side := n.Router.IPv4
	switch {
	case !n.Asks:
		return "Your router is not asked to let others in. "
	case side.Reason == portmap.Works && side.Mapped():
		return "Your router lets others in at " + side.UDP.String() + ", by " + side.Way.String() + ". "
	}
	switch side.Reason {
	case portmap.NotNeeded:
		return "You have a public address, and no router needs to be asked. "
	case portmap.NoGateway:
		return "This machine has no way to the Internet: there is no router. "
	case portmap.NotAuthorised, portmap.Refused:
		return "Your router can let others in, and its settings forbid it: look there for UPnP, NAT-PMP or PCP. "
	case portmap.Full:
		return "Your router has no room for one more port. "
	case portmap.NoExternalAddress:
		return "Your router is not connected to the Internet. "
	case portmap.DoubleNAT:
		return "Your router stands behind another one that lets nobody in: its own address is that of a home. "
	case portmap.CarrierNAT:
		return "Your provider puts many customers behind one address, so nobody can be let in; an IPv6 address, or a friend's relay, helps. "
	case portmap.NoAnswer:
		return "Your router lets nobody in by itself: it answers to none of UPnP, NAT-PMP and PCP, which can be switched on in its settings. "
	case portmap.Nonsense:
		return "What your router answers makes no sense. "
	}
	return ""
}

func relayingOf(n node.Network) *v1.Relaying {
	out := &v1.Relaying{On: n.Carries, Reserved: uint32(n.Relay.Reservations), Circuits: uint32(n.Relay.Circuits), Bytes: n.Relay.Bytes}
	switch {
	case !n.Carries:
		out.Sentence = "You do not carry for friends who cannot be reached."
	case !n.Reached && n.Reachability != node.ReachablePublic:
		out.Sentence = "You would carry for friends who cannot be reached, but nobody reaches you either."
	default:
		out.Sentence = fmt.Sprintf("You carry for friends who cannot be reached: %d can be called through you, %d talk now. You see which addresses talk, when and how much, and nothing of what is said.", out.Reserved, out.Circuits)
	}
	return out
}

func relaySentence(r node.RelayUsed) string {
	whose := "A relay"
	if r.By.Name != "" {
		whose = "The relay of " + nameOf(r.By)
	}
	if r.Ready {
		return whose + " lets others reach you. It sees which addresses talk, when and how much, and nothing of what is said."
	}
	return whose + " does not answer now; it is asked again by itself."
}

// mailboxSentence says how a mailbox is, and what it sees.
func mailboxSentence(m node.MailboxView, quiet bool) string {
	whose := "The mailbox at " + m.Place
	if !m.Own {
		whose = "The mailbox at " + m.Place + ", which a member of a chat has named,"
	}
	chats := fmt.Sprintf("for %d of your chats", m.Chats)
	switch {
	case m.Chats == 0 && m.Spare:
		return whose + " is not used: your chats use the first of your mailboxes, until you remove that one."
	case m.Chats == 0:
		return whose + " keeps nothing yet: messages wait there once there is somebody to write to."
	case m.Asked == 0:
		return whose + " is being asked " + chats + "."
	case !m.Ready:
		return whose + " does not answer. It is asked again by itself; what you write stays here until then."
	}
	untold := ""
	switch {
	case m.Untold == 1:
		untold = " One person does not know of it yet, and is told when your Kith and theirs are on together."
	case m.Untold > 1:
		untold = fmt.Sprintf(" %d people do not know of it yet, and are told when your Kith and theirs are on together.", m.Untold)
	}
	if quiet {
		return whose + " keeps what waits for whoever is off, " + chats + ". Your node comes at times drawn beforehand, with pieces of one size, so what you write takes hours by it. It sees your address and that you use it; not when you write, what, to whom, or how much." + untold
	}
	return whose + " keeps what waits for whoever is off, " + chats + ". It sees when, and from which address, something is left or fetched, and sealed pieces of a few sizes; not who writes, what, or in which chat." + untold
}

func rendezvousSentence(n node.Network) string {
	switch {
	case n.Finder.Alone:
		return "Friends whose address changed are not looked for at the public DHT yet: your node listens on no network."
	case !n.Finder.On:
		return "Friends whose address changed are not looked for at the public DHT."
	}
	return "Friends whose address changed are looked for at the public DHT, which many programs share: its nodes see your address and numbers that mean something to your friends alone."
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
