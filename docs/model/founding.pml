/* SPDX-License-Identifier: BSL-1.0
 *
 * Two nodes are told to found, and a newcomer has both as seeds. README.md beside this file says
 * what is left out, and what is shown.
 *
 *   -DIMPATIENT   a founder may stop waiting for a seed at any time, and a message may be lost:
 *                 then two clusters may come to be, and must not mix
 *   -DBOTH_GO_ON  a bug: of two founders that meet, none gives up
 *   -DANY_CLUSTER a bug: a newcomer asks to be taken in by whatever cluster answers last
 */
#ifdef IMPATIENT
#define LOSSES 1
#define MAY_FOUND true
#else
#define LOSSES 0
#define MAY_FOUND !silent
#endif
#define FOUNDERS 2
#define NEWCOMER 2

mtype = { census_request, census_reply, enter_request, enter_reply };

/* Kind, sender, cluster or 0, whether the sender is about to found. */
chan inbox[FOUNDERS + 1] = [4] of { mtype, byte, byte, bool };

byte cluster[FOUNDERS];  /* what each has founded; 0: nothing */
bool gave_up[FOUNDERS];
bool listed[FOUNDERS];   /* whether its cluster has taken the newcomer in */
byte losses_left = LOSSES;

#define UNDECIDED(i) (cluster[i] == 0 && !gave_up[i])

inline send(whom, kind, about, founding) {
  if
  :: inbox[whom]!kind(_pid, about, founding)
  :: losses_left > 0 -> losses_left--
  fi
}

/* Both know both numbers, so one of them goes on. */
inline meet(rival) {
#ifndef BOTH_GO_ON
  if
  :: UNDECIDED(_pid) && rival < _pid -> gave_up[_pid] = true
  :: else
  fi
#else
  skip
#endif
}

active [FOUNDERS] proctype founder() {
  bool silent = true;  /* the other one has not answered */
  bool asked = false;
  byte from;
  byte about;
  bool founding;
end:
  do
  :: UNDECIDED(_pid) && silent && !asked ->
     asked = true;
     send(1 - _pid, census_request, 0, true)
  :: atomic { UNDECIDED(_pid) && MAY_FOUND -> cluster[_pid] = _pid + 1 }
  :: inbox[_pid]?census_request(from, about, founding) ->
     if
     :: founding -> meet(from)
     :: else
     fi;
     if
     :: from < FOUNDERS -> send(from, census_reply, cluster[_pid], UNDECIDED(_pid))
     :: else -> send(NEWCOMER, census_reply, cluster[_pid], UNDECIDED(_pid))
     fi
  :: inbox[_pid]?census_reply(from, about, founding) ->
     silent = false;
     if
     :: about != 0 && UNDECIDED(_pid) -> gave_up[_pid] = true
     :: else ->
        if
        :: founding -> meet(from)
        :: else
        fi
     fi
  :: inbox[_pid]?enter_request(from, about, founding) ->
     if
     :: cluster[_pid] != 0 && about == cluster[_pid] ->
        listed[_pid] = true;
        assert(!(listed[0] && listed[1]));  /* nothing crosses (I10) */
        send(NEWCOMER, enter_reply, about, false)
     :: else
     fi
  od
}

active proctype newcomer() {
  byte meant = 0;
  byte asks = 2;
  byte from;
  byte about;
  bool founding;
  bool failed = false;
end:
  do
  :: asks > 0 && !failed ->
     asks--;
     send(0, census_request, 0, false);
     send(1, census_request, 0, false)
  :: inbox[_pid]?census_reply(from, about, founding) ->
     if
     :: about == 0 || failed
     :: else ->
        if
#ifdef ANY_CLUSTER
        :: true ->
#else
        :: meant != 0 && meant != about -> failed = true
        :: meant == 0 || meant == about ->
#endif
           meant = about;
           send(about - 1, enter_request, about, false)
        fi
     fi
  :: inbox[_pid]?enter_reply(from, about, founding)
  od
}

#ifndef IMPATIENT
/* Two clusters where one was meant can never be merged again (B1), and somebody has to found. */
active proctype watch() {
  if
  :: atomic { cluster[0] != 0 && cluster[1] != 0 -> assert(false) }
  :: timeout -> assert(cluster[0] != 0 || cluster[1] != 0)
  fi
}
#endif
