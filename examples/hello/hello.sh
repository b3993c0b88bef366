#!/bin/sh
read -r greeting < "$message"
echo "$greeting"
