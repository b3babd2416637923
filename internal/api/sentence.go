package api

import (
	"fmt"
	"strconv"
	"strings"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

// Sentences about people, for whoever reads them: the reader is "you".

// nameOf names a person within a sentence.
func nameOf(p node.Person) string {
	switch {
	case p.Me:
		return "you"
	case p.Name == "":
		return "somebody"
	}
	return toldName(p)
}

// toldName is a name in a sentence, with the beginning of the id where another's looks the same.
func toldName(p node.Person) string {
	if p.Alike {
		return shownName(p) + " (" + p.ID.String()[:alikeDigits] + ")"
	}
	return shownName(p)
}

// atStart is nameOf for the beginning of a sentence.
func atStart(p node.Person) string {
	switch {
	case p.Me:
		return "You"
	case p.Name == "":
		return "Somebody"
	}
	return toldName(p)
}

// sentenceOf says what a change of the membership was: "Ann added Ben."
func sentenceOf(author node.Person, c node.Change) string {
	who, whom, self := atStart(author), nameOf(c.Subject), c.Subject.ID == author.ID
	switch c.Op.(type) {
	case *chain.Genesis:
		if c.Title == "" {
			return who + " began this chat."
		}
		return fmt.Sprintf("%s made the group “%s”.", who, c.Title)
	case *chain.Add:
		if c.Admin {
			return fmt.Sprintf("%s added %s as an admin.", who, whom)
		}
		return fmt.Sprintf("%s added %s.", who, whom)
	case *chain.Remove:
		return fmt.Sprintf("%s removed %s.", who, whom)
	case *chain.Leave:
		return atStart(c.Subject) + " left."
	case *chain.SetRole:
		return roleSentence(who, whom, self, c)
	case *chain.SetInfo:
		if c.Title == "" {
			return who + " gave the group another name."
		}
		return fmt.Sprintf("%s named the group “%s”.", who, c.Title)
	case *chain.Rekey:
		return who + " renewed the keys."
	case *chain.Unpark:
		return who + " rejoined."
	case *chain.Park:
		return fmt.Sprintf("%s set a device of %s aside.", who, whose(c.Subject))
	case *chain.AddDevice:
		if self {
			return who + " added a device."
		}
		return fmt.Sprintf("%s added a device of %s.", who, whose(c.Subject))
	case *chain.RemoveDevice:
		if self {
			return who + " took out a device."
		}
		return fmt.Sprintf("%s took out a device of %s.", who, whose(c.Subject))
	case *chain.Package:
		return who + " renewed what others need to add a device while it is off."
	}
	return rareSentence(who, c)
}

// whose names somebody after "a device of".
func whose(p node.Person) string {
	if p.Me {
		return "yours"
	}
	return nameOf(p)
}

// nameSuccessors says in the sentences of blocks who became an admin as another
// left. A Leave holds an id alone; whoever it is stands in some block.
func nameSuccessors(out []*v1.Block, list []node.Block) {
	known := make(map[wire.PersonID]node.Person)
	for _, b := range list {
		known[b.Author.ID] = b.Author
		for _, c := range b.Changes {
			known[c.Subject.ID] = c.Subject
		}
	}
	for i, b := range list {
		for j, c := range b.Changes {
			leave, ok := c.Op.(*chain.Leave)
			if !ok || leave.Successor == (wire.PersonID{}) {
				continue
			}
			who, verb := known[leave.Successor], "is"
			if who.Me {
				verb = "are"
			}
			out[i].Changes[j].Sentence += fmt.Sprintf(" %s %s an admin now.", atStart(who), verb)
		}
	}
}

func roleSentence(who, whom string, self bool, c node.Change) string {
	switch {
	case c.Admin && self:
		return fmt.Sprintf("%s became an admin.", who)
	case c.Admin:
		return fmt.Sprintf("%s made %s an admin.", who, whom)
	case self:
		return fmt.Sprintf("%s gave up being an admin.", who)
	}
	return fmt.Sprintf("%s took the admin role from %s.", who, whom)
}

// waitingFor says what has to happen next in a friendship, or nothing.
func waitingFor(f node.Friend) string {
	switch f.State {
	case node.FriendAsked:
		if f.Met {
			return fmt.Sprintf("Waiting for %s to accept.", nameOf(f.Person))
		}
		return fmt.Sprintf("Waiting for %s. The first time, both programs must be running at once. Or the link was used already: then ask for a new one.", nameOf(f.Person))
	case node.FriendFriend:
		if f.Sought {
			return fmt.Sprintf("%s is your friend already, and is looked for where the link says. Both programs must be running at once.", atStart(f.Person))
		}
	case node.FriendAsking:
		return fmt.Sprintf("%s asks to be your friend, and waits for your answer.", atStart(f.Person))
	}
	return ""
}

// leaving says what the own Leave waits for.
func leaving(c node.Chat) string {
	const late = " If that does not come about, you leave a day after the others heard of it."
	var names []string
	for _, p := range c.Awaited {
		if p.Me {
			names = append(names, "another device of yours")
			continue
		}
		names = append(names, nameOf(p))
	}
	switch {
	case !c.Needed:
		return "You leave once another member's device takes note of it, which it does by itself when it is online."
	case len(names) == 0:
		return "You leave once others vote in your place, which an admin's device sees to." + late
	}
	return "You leave once others vote in your place. For that Kith waits for " + joined(names, " and ") + "." + late
}

// isRevoked reports whether a chat is over because another copy of this home revoked this
// one, and not by somebody else's word or one's own before that.
func isRevoked(c node.Chat) bool {
	switch c.State {
	case group.StatusLeft, group.StatusDeclined:
		return false
	case group.StatusRemoved:
		return c.RemovedBy.Me || c.Revoked && c.RemovedBy.ID == (wire.PersonID{})
	}
	return c.Revoked
}

// noticeOf says the one thing about a chat that its reader should know now, or
// nothing.
func noticeOf(c node.Chat) string {
	if isRevoked(c) {
		return "Another copy of this home revoked this one: nothing is sent or received here any more. You keep what you had."
	}
	switch c.State {
	case group.StatusInvited:
		return atStart(c.InvitedBy) + " invites you. If you accept, the members will see this machine's network address."
	case group.StatusLeaving:
		return leaving(c)
	case group.StatusLeft:
		return "You left."
	case group.StatusRemoved:
		if c.RemovedBy.ID == (wire.PersonID{}) {
			return "The group was split, and the invitation that you came in by was not kept. Whoever invited you invites you again."
		}
		return atStart(c.RemovedBy) + " removed you. You keep what you had."
	case group.StatusDeclined:
		return "You declined the invitation."
	case group.StatusNewer:
		return "This group needs a newer version of Kith. Nothing is lost: update, and it goes on."
	}
	switch {
	case c.Replaced:
		return "Another copy of this device took its place in this chat, so this one can neither read nor write here. If that was not you, somebody has your keys: tell the others."
	case len(c.Outdated) > 0:
		return outdatedNotice(c)
	case c.Parked:
		return "This device was set aside, because it was not here for long. It comes back by itself, once another member is here."
	case c.NewKey:
		return "This Kith has a new key, since a copy of it is, or was, in use. The key comes into this chat by itself, mostly within ten seconds, else once another member is connected; until then nothing can be written here."
	case c.NoKeys:
		return "This device has no keys for this chat now. It gets new ones by itself, once another member is here. If it does not, ask an admin to remove you and add you again."
	case c.Trouble != 0:
		return incidentSentence(node.Incident{Kind: c.Trouble, Stopped: true})
	case len(c.Carrying) > 0:
		return carryingNotice(c)
	case c.Unasked > 0:
		return unaskedNotice(c)
	case c.Waiting > 0 && c.Connected == 0: // else it is on its way, and the tick says so
		return keptHere(c)
	case c.Missed == 1:
		return "A message was written while this device was set aside. It comes once a member is here who has it."
	case c.Missed > 1:
		return fmt.Sprintf("%d messages were written while this device was set aside. They come once a member is here who has them.", c.Missed)
	case c.Missing > 0:
		return missingNotice(c)
	case c.Earlier.Newcomer && !c.Earlier.Reached:
		return earlierSentence(c)
	}
	return ""
}

// diskFullSentence says what a full disk means while it is full.
func diskFullSentence(home string) string {
	return "The disk is full: nothing is kept here, neither what you write nor what others send; that stays with them until it can be. Make space on the disk of " +
		oneLine(home, 400) + ", and Kith goes on by itself. What was kept before is safe."
}

// missingNotice says how many messages are lacking, and of whom they are asked.
func missingNotice(c node.Chat) string {
	s := figure(c.Missing) + " earlier messages are coming"
	if c.Missing == 1 {
		s = "An earlier message is coming"
	}
	if len(c.MissingFrom) > 0 {
		s += " from " + namesOf(c.MissingFrom)
	}
	return s + "."
}

// figure writes a count so that thousands can be read.
func figure(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// carryingNotice says what messages wait for.
func carryingNotice(c node.Chat) string {
	s := fmt.Sprintf("While the group was split, %s was removed. That is being finished", nameOf(c.Carrying[0]))
	if n := len(c.Carrying); n > 1 {
		s = fmt.Sprintf("While the group was split, %d people were removed. That is being finished", n)
	}
	switch c.Held {
	case 0:
		return s + "."
	case 1:
		return s + "; your message goes out after it."
	}
	return fmt.Sprintf("%s; your %d messages go out after it.", s, c.Held)
}

// unaskedNotice asks whether those who came later get what was written before.
func unaskedNotice(c node.Chat) string {
	what, was, them := fmt.Sprintf("%d messages of yours were", c.Unasked), "were", "them"
	if c.Unasked == 1 {
		what, was, them = "A message of yours was", "was", "it"
	}
	who := nameOf(c.UnaskedOf[0]) + " was"
	if n := len(c.UnaskedOf); n > 1 {
		who = fmt.Sprintf("%d of the members were", n)
	}
	if c.Readded {
		return fmt.Sprintf("%s written before you were removed and added again, and %s not read by everybody. Send %s to everybody?", what, was, them)
	}
	return fmt.Sprintf("%s written while %s not in the group. Send %s to everybody?", what, who, them)
}

// outdatedNotice says whom this device would shut out if it got new keys, which it
// therefore does not do by itself.
func outdatedNotice(c node.Chat) string {
	var names []string
	for _, p := range c.Outdated {
		names = append(names, nameOf(p))
	}
	who := strings.Join(names, ", ")
	if c.Willing {
		return "This device gets new keys for this chat once another member is here. Shut out from then on, until they update Kith: " + who + "."
	}
	return "This device has no keys for this chat now. If it gets new ones, those with an older version of Kith are shut out until they update: " + who +
		". Best is to wait until they have. To come back now all the same: kith group rejoin."
}

// liesSentence says whether who has not got a message yet finds it at a mailbox.
func liesSentence(d node.Delivery) string {
	switch {
	case d.Reached == d.Of || !d.Mailbox:
		return ""
	case d.Lies:
		return "It lies at the mailbox for who has it not yet: their Kith and yours need not be on together."
	}
	return "It is not at the mailbox yet: leave this Kith on until it is."
}

// keptHere says when the others get what nobody but this device has.
func keptHere(c node.Chat) string {
	var other node.Person
	others := 0
	for _, m := range c.Members {
		if !m.Person.Me {
			other = m.Person
			others++
		}
	}
	switch {
	case others == 0:
		return ""
	case c.MailboxDue:
		return "Kept here, and not at the mailbox yet: leave this Kith on until it is."
	case c.Mailbox && others == 1:
		return fmt.Sprintf("Kept here. %s gets it by the mailbox: their Kith and yours need not be on together.", atStart(other))
	case c.Mailbox:
		return "Kept here. The others get it by the mailbox: their Kith and yours need not be on together."
	case others == 1:
		return fmt.Sprintf("Kept here. %s gets it when their Kith and yours are on together.", atStart(other))
	}
	return "Kept here. The others get it when their Kith and yours, or that of anybody in this chat, are on together."
}
