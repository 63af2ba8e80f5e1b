"""helm-controller: releases charts to a cluster."""
