"""Where providers call: one route for all of them. What a callback means is its adapter's business."""
