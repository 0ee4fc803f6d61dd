/* SPDX-License-Identifier: BSL-1.0
 *
 * Votes, seats, step-in and the listener who stands for election, over logs of a few entries.
 * README.md beside this file says what is left out, and what is shown.
 *
 * Nodes 0, 1 and 2 vote at first, 3 and 4 listen. A message is read from its sender's state at the
 * moment it arrives: one that is lost is a step that is never taken, and one that was on its way
 * when its sender crashed still arrives. A reply arrives with its question, or is lost.
 *
 *   -DPULL_KEEPS_TERM   a bug: a pull raises no term
 *   -DCOMMITTED_CONFIG  a bug: a candidate goes by the committed configuration
 *   -DONE_HALF          a bug: only the incoming half of a joint configuration counts
 *   -DCOUNTS_ITSELF     a bug: a candidate that is no voter counts itself
 *   -DVOTERS_LEAD       a false claim, to be refuted: no listener ever leads
 *   -DNO_CHANGE_ENDS    likewise: no change of the voters is ever committed to its end
 */
#ifndef TERMS
#define TERMS 3
#endif
#ifndef ENTRIES
#define ENTRIES 4
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef SUCCESSION
#define SUCCESSION 2
#endif
#ifndef CANDIDACIES
#define CANDIDACIES 3
#endif
#define NODES 5

/* An entry: its term and what it is. 0: a command. 1: the first configuration. Then the joint one of
 * the change that a leader may make, and the one that ends it. */
#define ENTRY(t, what) ((t) * 16 + (what))
#define TERM(e) ((e) / 16)
#define WHAT(e) ((e) % 16)
#define JOINT 2
#define FINAL 3

/* Sets of nodes are bits. */
#define BIT(n) (1 << (n))
#define FIRST_VOTERS (BIT(0) | BIT(1) | BIT(2))
#if SUCCESSION == 0    /* a follower's seat goes to a listener */
#define NEXT_VOTERS (BIT(0) | BIT(1) | BIT(3))
#elif SUCCESSION == 1  /* the first leader's does */
#define NEXT_VOTERS (BIT(1) | BIT(2) | BIT(3))
#elif SUCCESSION == 2  /* two seats at once */
#define NEXT_VOTERS (BIT(2) | BIT(3) | BIT(4))
#else                  /* growth to five */
#define NEXT_VOTERS (BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4))
#endif
#define VOTERS(what) ((what) == 1 -> FIRST_VOTERS : NEXT_VOTERS)
#define OUTGOING(what) ((what) == JOINT -> FIRST_VOTERS : 0)

#define SIZE(s) (((s) & 1) + (((s) >> 1) & 1) + (((s) >> 2) & 1) + (((s) >> 3) & 1) + (((s) >> 4) & 1))
#define MAJORITY(of, yes) (2 * SIZE((yes) & (of)) > SIZE(of))
#ifdef ONE_HALF
#define QUORUM(what, yes) MAJORITY(VOTERS(what), yes)
#else
#define QUORUM(what, yes) \
  (MAJORITY(VOTERS(what), yes) && (OUTGOING(what) == 0 || MAJORITY(OUTGOING(what), yes)))
#endif

#define FOLLOWER 0
#define CANDIDATE 1
#define LEADER 2
#define NOBODY 7

typedef node {
  byte term;
  byte vote;
  byte role;
  byte granted;        /* who has given this candidate its vote */
  byte length;
  byte commit;
  byte log[ENTRIES]
};

node n[NODES];
byte dead;             /* the set of nodes that have crashed */
byte crashes_left = CRASHES;
byte losses_left = LOSSES;
byte candidacies_left = CANDIDACIES;

/* What the checker remembers. */
byte leader_of[TERMS + 1];
byte committed[ENTRIES];
byte committed_length;

/* Scratch; no part of the state between two steps. */
byte what;
byte k;
byte at;
byte stored;

#define ALIVE(i) ((dead & BIT(i)) == 0)
#define LAST(i) (n[i].log[n[i].length - 1])

/* The newest configuration among the first `through` entries; entry 1 is one. */
inline find_configuration(i, through) {
  k = through - 1;
  do
  :: WHAT(n[i].log[k]) != 0 -> break
  :: else -> k--
  od;
  what = WHAT(n[i].log[k]);
  k = 0
}

#ifdef COMMITTED_CONFIG
#define CANDIDATES_VIEW(i) n[i].commit
#else
#define CANDIDATES_VIEW(i) n[i].length
#endif

inline follow(who, newer) {
  n[who].role = FOLLOWER;
  n[who].granted = 0;
  if
  :: n[who].term < newer -> n[who].term = newer; n[who].vote = NOBODY
  :: else
  fi
}

/* Whoever leads has all that was committed in the terms before. */
inline check_complete(i) {
  k = 0;
  do
  :: k < committed_length && TERM(committed[k]) < n[i].term ->
     assert(n[i].length > k && n[i].log[k] == committed[k]);
     k++
  :: else -> break
  od;
  k = 0
}

/* Takes over the first `count` entries of another log; what conflicts is dropped, nothing else. */
inline merge(j, s, count) {
  k = 0;
  do
  :: k < count && k < n[j].length && n[j].log[k] == n[s].log[k] -> k++
  :: else -> break
  od;
  if
  :: k < count ->
     assert(k >= n[j].commit);          /* what is committed is never dropped */
     n[j].length = count;
     do
     :: k < count -> n[j].log[k] = n[s].log[k]; k++
     :: else -> break
     od;
     do
     :: k < ENTRIES -> n[j].log[k] = 0; k++
     :: else -> break
     od
  :: else
  fi;
  k = 0
}

inline commit_to(j, index) {
  if
  :: index > n[j].commit -> n[j].commit = index
  :: else
  fi;
  do
  :: k < n[j].commit ->
     if
     :: k < committed_length -> assert(committed[k] == n[j].log[k])
     :: else ->
        committed[k] = n[j].log[k];
        committed_length = k + 1;
#ifdef NO_CHANGE_ENDS
        assert(WHAT(n[j].log[k]) != FINAL)
#endif
     fi;
     k++
  :: else -> break
  od;
  k = 0
}

#define PUT(i, content) \
  n[i].log[n[i].length] = ENTRY(n[i].term, content); \
  n[i].length++

/* -- elections ------------------------------------------------------------------------------- */

/* A voter, or a listener: when it is whose turn does not matter to safety, so anybody may at any
 * time. */
#define STAND(i) \
  :: d_step { ALIVE(i) && n[i].role != LEADER && n[i].term < TERMS && candidacies_left > 0 -> \
       candidacies_left--; n[i].term++; n[i].vote = i; n[i].role = CANDIDATE; n[i].granted = BIT(i) }

#ifdef COUNTS_ITSELF
#define WON(i) \
  (2 * SIZE(n[i].granted & (VOTERS(what) | BIT(i))) > SIZE(VOTERS(what)) \
   && (OUTGOING(what) == 0 || MAJORITY(OUTGOING(what), n[i].granted)))
#else
#define WON(i) QUORUM(what, n[i].granted)
#endif

/* Leads at once, and puts an entry of its term behind its log as soon as there is room (5.2, 8). */
inline win(who) {
  n[who].role = LEADER;
  n[who].granted = 0;
  assert(leader_of[n[who].term] == NOBODY || leader_of[n[who].term] == who);
  leader_of[n[who].term] = who;
  check_complete(who);
#ifdef VOTERS_LEAD
  assert(((VOTERS(what) | OUTGOING(what)) & BIT(who)) != 0);
#endif
  if
  :: n[who].length < ENTRIES -> PUT(who, 0)
  :: else
  fi
}

/* j is asked by i; `heard`: the answer arrives. */
#define VOTE(i, j, heard) \
  :: d_step { n[i].role == CANDIDATE && ALIVE(j) && (n[i].granted & BIT(j)) == 0 \
       && (heard || losses_left > 0) \
       && (n[i].term > n[j].term || (n[i].term == n[j].term && n[j].vote == NOBODY)) -> \
       find_configuration(i, CANDIDATES_VIEW(i)); \
       if \
       :: ((VOTERS(what) | OUTGOING(what)) & BIT(j)) != 0 -> \
          if \
          :: n[i].term > n[j].term -> follow(j, n[i].term) \
          :: else \
          fi; \
          if \
          :: n[j].vote == NOBODY && (TERM(LAST(i)) > TERM(LAST(j)) \
             || (TERM(LAST(i)) == TERM(LAST(j)) && n[i].length >= n[j].length)) -> \
             n[j].vote = i; \
             if \
             :: heard -> \
                n[i].granted = n[i].granted | BIT(j); \
                if \
                :: ALIVE(i) && WON(i) -> win(i) \
                :: else \
                fi \
             :: else -> losses_left-- \
             fi \
          :: else \
          fi \
       :: else \
       fi; \
       what = 0 }

/* -- logs --------------------------------------------------------------------------------------- */

/* The leader i, or a message that it left behind, reaches the voter j. */
#define APPEND(i, j) \
  :: d_step { n[i].role == LEADER && ALIVE(j) && n[i].term >= n[j].term \
       && (n[j].length != n[i].length || LAST(j) != LAST(i) || n[j].commit < n[i].commit \
           || n[j].term < n[i].term || n[j].role == CANDIDATE) -> \
       find_configuration(i, n[i].length); \
       if \
       :: ((VOTERS(what) | OUTGOING(what)) & BIT(j)) != 0 -> \
          assert(!(n[j].role == LEADER && n[j].term == n[i].term)); \
          follow(j, n[i].term); \
          merge(j, i, n[i].length); \
          commit_to(j, n[i].commit) \
       :: else \
       fi; \
       what = 0 }

/* j, which has no vote by its own log, pulls what s has committed; s may be anybody. */
#ifdef PULL_KEEPS_TERM
#define PULLED_TERM(s) 0
#else
#define PULLED_TERM(s) n[s].term
#endif
#define PULL(s, j) \
  :: d_step { ALIVE(j) && n[s].commit > n[j].commit \
       && !(n[j].role == LEADER && n[j].term >= n[s].term) -> \
       find_configuration(j, n[j].length); \
       if \
       :: ((VOTERS(what) | OUTGOING(what)) & BIT(j)) == 0 -> \
          if \
          :: PULLED_TERM(s) > n[j].term -> follow(j, PULLED_TERM(s)) \
          :: else -> n[j].role = FOLLOWER; n[j].granted = 0 \
          fi; \
          merge(j, s, n[s].commit); \
          commit_to(j, n[s].commit) \
       :: else \
       fi; \
       what = 0 }

/* -- the leader ----------------------------------------------------------------------------------- */

#define HAS(j, i, index) \
  (n[j].length >= index && n[j].log[index - 1] == n[i].log[index - 1] -> BIT(j) : 0)

/* As far as a quorum has it, at an entry of the own term (5.4.2). */
#define COMMIT(i) \
  :: d_step { ALIVE(i) && n[i].role == LEADER && n[i].commit < n[i].length \
       && TERM(LAST(i)) == n[i].term -> \
       find_configuration(i, n[i].length); \
       at = n[i].length; \
       do \
       :: at > n[i].commit && TERM(n[i].log[at - 1]) == n[i].term -> \
          stored = HAS(0, i, at) | HAS(1, i, at) | HAS(2, i, at) | HAS(3, i, at) | HAS(4, i, at); \
          if \
          :: QUORUM(what, stored) -> commit_to(i, at); break \
          :: else -> at-- \
          fi \
       :: else -> break \
       od; \
       what = 0; \
       at = 0; \
       stored = 0 }

#define OWN_TERM_COMMITTED(i) (TERM(n[i].log[n[i].commit - 1]) == n[i].term)

/* One change after the other, by way of a joint configuration (M1). */
#define CHANGE(i) \
  :: d_step { ALIVE(i) && n[i].role == LEADER && n[i].length < ENTRIES && OWN_TERM_COMMITTED(i) -> \
       find_configuration(i, n[i].length); \
       if \
       :: what == 1 -> PUT(i, JOINT) \
       :: else \
       fi; \
       what = 0 }

#define END_CHANGE(i) \
  :: d_step { ALIVE(i) && n[i].role == LEADER && n[i].length < ENTRIES \
       && WHAT(LAST(i)) == JOINT && n[i].commit == n[i].length -> \
       PUT(i, FINAL) }

#define CRASH(i) \
  :: d_step { ALIVE(i) && crashes_left > 0 -> crashes_left--; dead = dead | BIT(i) }

#define EACH(f) f(0) f(1) f(2) f(3) f(4)
#define EACH_PAIR(f) \
  f(0, 1) f(0, 2) f(0, 3) f(0, 4) f(1, 0) f(1, 2) f(1, 3) f(1, 4) f(2, 0) f(2, 1) f(2, 3) f(2, 4) \
  f(3, 0) f(3, 1) f(3, 2) f(3, 4) f(4, 0) f(4, 1) f(4, 2) f(4, 3)
#define HEARD(i, j) VOTE(i, j, true)
#define UNHEARD(i, j) VOTE(i, j, false)

init {
  /* 0 founded the cluster, leads in term 1 with the votes of 0 and 1, and all have its entry. */
  d_step {
    leader_of[0] = NOBODY;
    k = 1;
    do
    :: k <= TERMS -> leader_of[k] = NOBODY; k++
    :: else -> break
    od;
    leader_of[1] = 0;
    k = 0;
    do
    :: k < NODES ->
       n[k].term = 1; n[k].vote = NOBODY; n[k].length = 1; n[k].commit = 1;
       n[k].log[0] = ENTRY(1, 1);
       k++
    :: else -> break
    od;
    n[0].vote = 0; n[1].vote = 0; n[0].role = LEADER;
    committed[0] = ENTRY(1, 1); committed_length = 1;
    k = 0
  }
end:
  do
  EACH(STAND)
  EACH_PAIR(HEARD)
  EACH_PAIR(UNHEARD)
  EACH_PAIR(APPEND)
  EACH_PAIR(PULL)
  EACH(COMMIT)
  EACH(CHANGE)
  EACH(END_CHANGE)
  EACH(CRASH)
  od
}
