// SPDX-License-Identifier: Apache-2.0
// Six bodies that attract each other: a heavy one and five around it, a thousand steps a round.
#include <math.h>

#include "../kernel.h"

const Kernel kernel = {"nbody", {16, 0x0000000100020c4a}, {160, 0x0000000100020c4a}, {640, 0x0000000100020c4a}};

enum { kBodies = 6, kSteps = 1000 };
typedef struct Body {
  double place[3], velocity[3], mass;
} Body;
static Body bodies[kBodies];

KEEP_CALL static void advance(double dt) {
  for (int i = 0; i < kBodies; i++) {
    Body* a = &bodies[i];
    for (int j = i + 1; j < kBodies; j++) {
      Body* b = &bodies[j];
      const double dx = a->place[0] - b->place[0], dy = a->place[1] - b->place[1], dz = a->place[2] - b->place[2];
      const double square = dx * dx + dy * dy + dz * dz;
      const double pull = dt / (square * sqrt(square));
      a->velocity[0] -= dx * b->mass * pull, b->velocity[0] += dx * a->mass * pull;
      a->velocity[1] -= dy * b->mass * pull, b->velocity[1] += dy * a->mass * pull;
      a->velocity[2] -= dz * b->mass * pull, b->velocity[2] += dz * a->mass * pull;
    }
  }
  for (int i = 0; i < kBodies; i++) {
    for (int axis = 0; axis < 3; axis++) bodies[i].place[axis] += dt * bodies[i].velocity[axis];
  }
}

static double energy(void) {
  double sum = 0;
  for (int i = 0; i < kBodies; i++) {
    const Body* a = &bodies[i];
    double square = 0;
    for (int axis = 0; axis < 3; axis++) square += a->velocity[axis] * a->velocity[axis];
    sum += a->mass * square / 2;
    for (int j = 0; j < i; j++) {
      square = 0;
      for (int axis = 0; axis < 3; axis++) {
        const double distance = a->place[axis] - bodies[j].place[axis];
        square += distance * distance;
      }
      sum -= a->mass * bodies[j].mass / sqrt(square);
    }
  }
  return sum;
}

uint64_t run(uint32_t rounds) {
  bodies[0] = (Body){{0, 0, 0}, {0, 0, 0}, 1};
  for (int i = 1; i < kBodies; i++) {
    // Circles of growing size in slightly tilted planes, each started at another angle; rational sines and cosines.
    const double radius = i * i * 0.5 + 1, t = i * 0.37, sine = 2 * t / (1 + t * t), cosine = (1 - t * t) / (1 + t * t);
    const double speed = sqrt(1 / radius);
    bodies[i] = (Body){{radius * cosine, radius * sine, radius * 0.02 * i},
                       {-speed * sine, speed * cosine, speed * 0.01 * i},
                       0.0001 * i};
  }
  const double before = energy();
  for (uint32_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSteps; i++) advance(0.005);
  }
  // Energy is conserved up to the error of the method; the digits below depend on how the compiler fuses operations.
  const double after = energy();
  const uint64_t conserved = fabs(after - before) < 1e-6;
  return conserved << 32 | (uint64_t)(-after * 1e9 + 0.5);
}
