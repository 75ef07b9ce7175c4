"""What tests are built with: records, fakes, clients, clocks."""
