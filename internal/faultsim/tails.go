package faultsim

import "errors"

// loseTail takes the last n messages of a log away, as a server that comes back without its last writes. They come
// back, or others are stored in their place, at once or later. Owners that run lose their consumers and look again.
func (w *world) loseTail(partition, n int, forNow, atOnce bool) error {
	log := w.logs[partition]
	if log.lost != nil {
		return w.bringBack(partition)
	}
	n = min(n, len(log.messages))
	if n == 0 {
		return nil
	}
	keep := len(log.messages) - n
	lost := log.messages[keep:]
	log.messages = log.messages[:keep:keep]
	if forNow {
		log.lost = lost
	} else {
		w.history[partition].part(w.references[partition], keep)
		if err := w.refer(partition); err != nil {
			return err
		}
	}
	if !forNow && atOnce {
		if err := errors.Join(w.again(partition), w.produce(partition, n)); err != nil {
			return err
		}
	}
	for _, o := range w.owners[partition] {
		if o != nil && o.up() {
			if err := o.look(); err != nil {
				return err
			}
		}
	}
	return nil
}

// bringBack restores the tail of a log, and lets those that stood still start again.
func (w *world) bringBack(partition int) error {
	log := w.logs[partition]
	if log.lost == nil {
		return nil
	}
	log.messages = append(log.messages, log.lost...)
	log.lost = nil
	for _, o := range w.owners[partition] {
		if o != nil && o.lossSeen {
			o.lossSeen = false
			if err := o.start(); err != nil {
				return err
			}
		}
	}
	return nil
}
