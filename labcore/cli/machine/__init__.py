"""What ``lab`` says about a machine: doctor, env, smoke."""
