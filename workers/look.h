/* A look at the trust policy of a role that has let us in. */
#ifndef WORKERS_LOOK_H
#define WORKERS_LOOK_H

struct probe;
/* After everything else has been tried and was right: sets p->looked, sharing and sharing_text; code and text when the policy lets in
 * more than our external ID. Shortens p->until. */
void look_at_trust(struct probe *p);

#endif
