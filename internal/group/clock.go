package group

// What a machine does with the time that each input brings.

// clock notices a clock that was set back: what was due by the old one is due
// now, or it would be only when the old time has come again.
func (m *Machine) clock(now uint64) {
	if now >= m.now {
		m.elapsed += now - m.now
	} else {
		m.voteDue, m.electDue = min(m.voteDue, now), min(m.electDue, now)
		m.company.last = min(m.company.last, now)
		m.ackDue, m.digestDue = min(m.ackDue, now), min(m.digestDue, now)
		m.fetch.until, m.handover.until = min(m.fetch.until, now), min(m.handover.until, now)
		m.earlier.until = min(m.earlier.until, now)
		m.hastenBlocks(now)
		m.pace.hasten(now)
		m.ackWay.pass, m.ackWay.calm, m.prompt.due = min(m.ackWay.pass, now), min(m.ackWay.calm, now), min(m.prompt.due, now)
		m.telling.linksDue, m.telling.linksLast, m.telling.checkDue = min(m.telling.linksDue, now), 0, min(m.telling.checkDue, now)
		m.chaseDue = min(m.chaseDue, now)
		for i := range m.asked {
			m.asked[i].until = min(m.asked[i].until, now)
		}
		if m.catchUp != nil {
			m.catchUp.until = min(m.catchUp.until, now)
		}
		for _, t := range []*task{&m.mend.outvote, &m.mend.restart, &m.mend.slash} {
			t.due = min(t.due, now)
		}
		m.back.since, m.back.nack = min(m.back.since, now), min(m.back.nack, now)
		m.back.due, m.back.again, m.errandDue = min(m.back.due, now), min(m.back.again, now), min(m.errandDue, now)
		for _, p := range m.peers {
			p.haveDue, p.proofDue, p.inviteDue = min(p.haveDue, now), min(p.proofDue, now), min(p.inviteDue, now)
			p.haveLast, p.ackAsked, p.ackAgain, p.theirs.numbersAt = 0, 0, min(p.ackAgain, now), 0
			p.theirs.walks, p.asksAll, p.asksNumbers, p.asksVotes, p.asksPeople, p.asksEntries = 0, 0, 0, 0, 0, 0
			p.earlier.at, p.earlier.again, p.pagesDue = min(p.earlier.at, now), min(p.earlier.again, now), min(p.pagesDue, now)
			p.theirs.pause.until = min(p.theirs.pause.until, now)
		}
		clear(m.chainShares)
		clear(m.falseShares)
		for _, t := range m.turns {
			t.since = min(t.since, now)
		}
		for _, e := range m.epochs {
			e.since = min(e.since, now)
		}
	}
	m.now = now
}

// wake returns when something is due next.
func (m *Machine) wake(now uint64) uint64 {
	var next uint64
	at := func(t uint64) {
		if t != 0 && (next == 0 || t < next) {
			next = t
		}
	}
	at(m.expiring.due)
	if m.expiring.seen != 0 {
		at(m.expiring.seen + seenEvery)
	}
	if !m.speaks() {
		if m.catchUp != nil && len(m.peers) > 0 {
			at(m.catchUp.until)
		}
		if m.status == StatusInvited {
			at(m.blocksWake())
		}
		return next
	}
	at(m.ackDue)
	at(m.pruneDue)
	at(m.voteDue)
	at(m.electDue)
	if m.renewal.old > m.now {
		at(m.renewal.old)
	}
	for _, t := range []task{m.mend.outvote, m.mend.restart, m.mend.slash} {
		at(t.due)
	}
	if m.outside() { // its own old keys may do
		at(m.back.due)
	}
	if len(m.peers) > 0 {
		at(m.digestDue)
		at(m.ackWay.pass)
		at(m.ackWay.calm)
		at(m.prompt.due)
		at(m.telling.linksDue)
		at(m.telling.checkDue)
		at(m.blocksWake())
		at(m.fetch.until)
		for _, a := range m.asked {
			at(a.until)
		}
		if m.chase != nil && m.elsewhere && len(m.asked) == 0 {
			at(m.chaseDue)
		}
		at(m.handover.until)
		at(m.earlier.until)
		if m.catchUp != nil {
			at(m.catchUp.until)
		}
		if at(m.back.due); m.back.due == 0 { // else an answer is awaited before anybody is asked anew
			at(m.back.again)
		}
		at(m.back.nack)
		for _, p := range m.peers {
			if (p.earlier.news || p.earlier.again != 0) && p.named && p.rel == present && m.mayWrite() == nil && m.earlier.until <= m.now {
				at(m.earlierDue(p))
			}
			at(p.theirs.pause.until)
			at(p.haveDue)
			at(p.proofDue)
			at(p.inviteDue)
			if len(m.ackWay.list) > 0 {
				at(p.ackAgain)
			}
			at(p.pagesDue)
		}
	}
	at(m.errandDue)
	if next != 0 {
		next = max(next, now+1)
	}
	return next
}

// due does what time has come for.
func (m *Machine) due(now uint64, eff *Effects) {
	m.endDue(now, eff)
	m.sweepLeftovers(eff)
	if !m.speaks() {
		m.passOver(now, eff) // a former member may be on its way back
		if m.status == StatusInvited {
			m.askForBlocks(now, eff)
		}
		return
	}
	if isDue(m.pruneDue, now) {
		m.prune(now, eff)
	}
	if m.lateLook {
		m.lateLook = false
		m.reconsider(eff)
	}
	m.countAwaited(eff)
	m.countCompany(eff)
	m.comeBack(now, eff)
	m.repairKeys(now, eff)
	m.giveAll(eff)
	m.runErrands(now, eff)
	m.elect(now, eff)
	m.sayTwins(eff)
	m.releaseHeld(now, eff)
	m.vote(now, eff)
	m.ack(now, eff)
	m.exchangeAcks(now, eff)
	m.passOver(now, eff)
	m.owePages(now, eff)
	m.tellBlocks(now, eff)
	m.askForBlocks(now, eff)
	m.sayLinks(now, eff)
	m.announce(now, eff)
	m.pull(now, eff)
	m.askContents(now, eff)
	m.askEarlier(now, eff)
	m.askSettings(eff)
}
