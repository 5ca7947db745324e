package sim

import "github.com/holdfast-atp/holdfast/inventory"

// graveFor is for how long, beyond the channel's own rhythm, one has to show half as much again as it may for that to be grave.
const graveFor = inventory.Hour

// stale is what is wrong with what a channel shows of a shelf.
type stale struct {
	episode *Episode         // nil: nothing
	grave   inventory.Millis // since when it shows half as much again as it may; 0: it doesn't
}

// watchListing: a channel stands still, or shows what nobody told it, and that is more than it may sell; or word of what it shows does not get
// through, and whoever listens has to take it for that.
func (s *Sim) watchListing(sh *shelf, channel int, at inventory.Millis) {
	t, w := &sh.truth.stale[channel], &sh.windows[channel]
	may := sh.allowed(channel, sh.sellable(channel), at)
	seen, cause := w.shown, FrozenListing
	if w.unheard {
		seen, cause = w.heard, LostMessage
	}
	excess := seen - may
	switch is := (at < w.frozenTill || w.unheard) && excess > 0; {
	case is && t.episode == nil:
		t.episode = s.episode(inventory.StaleListing, cause, sh, s.channels[channel].Name, "", at)
		t.episode.Minor = true
	case !is && t.episode != nil:
		t.judge(s.channels[channel].Sync, at)
		t.episode.End = at
		*t = stale{}
	}
	if t.episode == nil {
		return
	}
	t.judge(s.channels[channel].Sync, at)
	if excess*2 < may {
		t.grave = 0
	} else if t.grave == 0 {
		t.grave = at
	}
}

// judge notes whether what is wrong has become grave.
func (t *stale) judge(rhythm, at inventory.Millis) {
	if t.grave != 0 && at-t.grave >= rhythm+graveFor {
		t.episode.Minor = false
	}
}

// listed notes whether whoever listens hears in time what a channel shows.
func (s *Sim) listed(sh *shelf, channel int, at, arrives inventory.Millis) {
	w := &sh.windows[channel]
	w.listing++
	if arrives-at <= underWay {
		w.heard, w.unheard = w.shown, false
		return
	}
	w.unheard = true
	if number := w.listing; arrives != never {
		s.at(arrives, func(at inventory.Millis) {
			if w.listing == number { // nothing newer was said
				w.heard, w.unheard = w.shown, false
				s.watch(sh, at)
			}
		})
	}
}
