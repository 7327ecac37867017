#include "tams/hls.h"

#include <gtest/gtest.h>

#include "time/test_printing.h"

namespace reel::tams {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

time::Timestamp at(std::string_view text) { return *time::Timestamp::parse(text); }

HlsSegment segment(std::string url, std::string_view start,
                   std::int64_t duration_ns = 2 * kSecond) {
  HlsSegment made;
  made.url = std::move(url);
  made.start = at(start);
  made.duration_ns = duration_ns;
  return made;
}

//! Three segments of two seconds on a timeline that begins at zero.
HlsPlaylist plain() {
  HlsPlaylist playlist;
  playlist.segments = {segment("a.ts", "0:0"), segment("b.ts", "2:0"), segment("c.ts", "4:0")};
  return playlist;
}

std::string rendered(const HlsPlaylist& playlist) {
  const auto text = hls_media_playlist(playlist);
  return text ? *text : text.error().message();
}

TEST(HlsMedia, Complete) {
  EXPECT_EQ(rendered(plain()),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-TARGETDURATION:2\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n"
            "#EXTINF:2,\n"
            "a.ts\n"
            "#EXTINF:2,\n"
            "b.ts\n"
            "#EXTINF:2,\n"
            "c.ts\n"
            "#EXT-X-ENDLIST\n");
}

TEST(HlsMedia, GrowingHasNoEnd) {
  HlsPlaylist playlist = plain();
  playlist.kind = HlsKind::event;
  playlist.nominal_duration_ns = 6 * kSecond;
  EXPECT_EQ(rendered(playlist),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-TARGETDURATION:6\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:EVENT\n"
            "#EXTINF:2,\n"
            "a.ts\n"
            "#EXTINF:2,\n"
            "b.ts\n"
            "#EXTINF:2,\n"
            "c.ts\n");
}

TEST(HlsMedia, GrowthOnlyAppends) {
  HlsPlaylist playlist = plain();
  playlist.kind = HlsKind::event;
  const std::string before = rendered(playlist);
  playlist.segments.push_back(segment("d.ts", "60:0"));
  EXPECT_TRUE(rendered(playlist).starts_with(before));
}

TEST(HlsMedia, SlidingWindowCountsWhatItRemoved) {
  HlsPlaylist playlist = plain();
  playlist.kind = HlsKind::live;
  playlist.media_sequence = 117;
  playlist.discontinuity_sequence = 3;
  EXPECT_EQ(rendered(playlist),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-TARGETDURATION:2\n"
            "#EXT-X-MEDIA-SEQUENCE:117\n"
            "#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
            "#EXTINF:2,\n"
            "a.ts\n"
            "#EXTINF:2,\n"
            "b.ts\n"
            "#EXTINF:2,\n"
            "c.ts\n");
}

TEST(HlsMedia, NothingYet) {
  HlsPlaylist playlist;
  playlist.kind = HlsKind::event;
  EXPECT_EQ(rendered(playlist),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-TARGETDURATION:1\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:EVENT\n");
}

TEST(HlsMedia, HoleRestartsAndTellsTheCivilTime) {
  // 1694429247 s TAI is 2023-09-11T10:46:50Z (TAMS 8.2, schemas/timerange.json).
  HlsPlaylist playlist;
  playlist.segments = {segment("a.ts", "1694429247:40000000"),
                       segment("b.ts", "1694429249:40000000"),
                       segment("c.ts", "1694432849:41999999")};
  EXPECT_EQ(rendered(playlist),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-TARGETDURATION:2\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n"
            "#EXT-X-PROGRAM-DATE-TIME:2023-09-11T10:46:50.040Z\n"
            "#EXTINF:2,\n"
            "a.ts\n"
            "#EXTINF:2,\n"
            "b.ts\n"
            "#EXT-X-DISCONTINUITY\n"
            "#EXT-X-PROGRAM-DATE-TIME:2023-09-11T11:46:52.041Z\n"
            "#EXTINF:2,\n"
            "c.ts\n"
            "#EXT-X-ENDLIST\n");
}

TEST(HlsMedia, ReusedObjectRestarts) {
  // An edit: the second segment shows material that was recorded an hour before.
  HlsPlaylist playlist = plain();
  playlist.segments[1].ts_offset = at("3600:0");
  EXPECT_EQ(rendered(playlist),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-TARGETDURATION:2\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n"
            "#EXTINF:2,\n"
            "a.ts\n"
            "#EXT-X-DISCONTINUITY\n"
            "#EXTINF:2,\n"
            "b.ts\n"
            "#EXT-X-DISCONTINUITY\n"
            "#EXTINF:2,\n"
            "c.ts\n"
            "#EXT-X-ENDLIST\n");
}

TEST(HlsMedia, FragmentedMp4NamesEachInitialisationOnce) {
  HlsPlaylist playlist = plain();
  playlist.segments[0].init_url = "init1.mp4";
  playlist.segments[1].init_url = "init1.mp4";
  playlist.segments[2].init_url = "init2.mp4";
  EXPECT_EQ(rendered(playlist),
            "#EXTM3U\n"
            "#EXT-X-VERSION:6\n"
            "#EXT-X-TARGETDURATION:2\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n"
            "#EXT-X-MAP:URI=\"init1.mp4\"\n"
            "#EXTINF:2,\n"
            "a.ts\n"
            "#EXTINF:2,\n"
            "b.ts\n"
            "#EXT-X-DISCONTINUITY\n"
            "#EXT-X-MAP:URI=\"init2.mp4\"\n"
            "#EXTINF:2,\n"
            "c.ts\n"
            "#EXT-X-ENDLIST\n");
}

TEST(HlsMedia, InitialisationForSomeIsUnsupported) {
  HlsPlaylist playlist = plain();
  playlist.segments[2].init_url = "init.mp4";
  EXPECT_EQ(hls_media_playlist(playlist).error().code(), Code::unsupported);
  playlist.segments[0].init_url = "init.mp4";
  EXPECT_EQ(hls_media_playlist(playlist).error().code(), Code::unsupported);
}

TEST(HlsMedia, RangeInsideSegmentsPlaysThemWhole) {
  HlsPlaylist playlist = plain();
  playlist.asked = *time::TimeRange::parse("[0:500000000_5:0)");
  EXPECT_EQ(rendered(playlist),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-TARGETDURATION:2\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n"
            "#EXT-X-START:TIME-OFFSET=0.5,PRECISE=YES\n"
            "# asked for [0:500000000_5:0), whole segments are [0:0_6:0)\n"
            "#EXTINF:2,\n"
            "a.ts\n"
            "#EXTINF:2,\n"
            "b.ts\n"
            "#EXTINF:2,\n"
            "c.ts\n"
            "#EXT-X-ENDLIST\n");
}

TEST(HlsMedia, OnlyACutBeginningMovesTheStart) {
  const auto head = [](std::string_view asked) {
    HlsPlaylist playlist = plain();
    playlist.asked = *time::TimeRange::parse(asked);
    const std::string text = rendered(playlist);
    return text.substr(text.find("VOD\n") + 4, text.find("#EXTINF") - text.find("VOD\n") - 4);
  };
  EXPECT_EQ(head("_"), "");
  EXPECT_EQ(head("[0:0_6:0)"), "");
  EXPECT_EQ(head("[-5:0_100:0)"), "");
  EXPECT_EQ(head("[-5:0_5:0)"), "# asked for [-5:0_5:0), whole segments are [0:0_6:0)\n");
  EXPECT_EQ(head("(0:0_"),
            "#EXT-X-START:TIME-OFFSET=0.000000001,PRECISE=YES\n"
            "# asked for (0:0_, whole segments are [0:0_6:0)\n");
}

TEST(HlsMedia, TargetDurationIsTheLongestRoundedToTheNearest) {
  const auto target = [](std::int64_t duration_ns) {
    HlsPlaylist playlist;
    playlist.segments = {segment("a", "0:0", duration_ns)};
    const std::string text = rendered(playlist);
    const auto from = text.find("DURATION:") + 9;
    return text.substr(from, text.find('\n', from) - from);
  };
  EXPECT_EQ(target(0), "1");
  EXPECT_EQ(target(1), "1");
  EXPECT_EQ(target(6'499'999'999), "6");
  EXPECT_EQ(target(6'500'000'000), "7");
  EXPECT_EQ(target(7'000'000'000), "7");
}

TEST(HlsMedia, DurationsAreExact) {
  HlsPlaylist playlist;
  playlist.segments = {segment("a", "0:0", 2'002'000'000), segment("b", "2:2000000", 1),
                       segment("c", "2:2000001", 10 * kSecond),
                       segment("d", "12:2000001", 21'333'333)};
  const std::string text = rendered(playlist);
  EXPECT_NE(text.find("#EXTINF:2.002,\na\n"), std::string::npos);
  EXPECT_NE(text.find("#EXTINF:0.000000001,\nb\n"), std::string::npos);
  EXPECT_NE(text.find("#EXTINF:10,\nc\n"), std::string::npos);
  EXPECT_NE(text.find("#EXTINF:0.021333333,\nd\n"), std::string::npos);
}

TEST(HlsMedia, RoundingIsNoHole) {
  EXPECT_FALSE(hls_discontinuity(segment("a", "0:0"), segment("b", "2:0")));
  EXPECT_FALSE(hls_discontinuity(segment("a", "0:0"), segment("b", "2:999999")));
  EXPECT_TRUE(hls_discontinuity(segment("a", "0:0"), segment("b", "2:1000000")));
}

TEST(HlsMedia, DatesOnlyOnClockTimelines) {
  const auto has_date = [](std::string_view start) {
    HlsPlaylist playlist;
    playlist.segments = {segment("a", start)};
    return rendered(playlist).find("DATE-TIME") != std::string::npos;
  };
  EXPECT_FALSE(has_date("0:0"));
  EXPECT_FALSE(has_date("-1694429247:0"));
  EXPECT_FALSE(has_date("63072036:999999999"));
  EXPECT_TRUE(has_date("63072037:0"));
  EXPECT_TRUE(has_date("253402300836:999999999"));
  EXPECT_FALSE(has_date("253402300837:0"));
  EXPECT_FALSE(has_date("281474976710655:999999999"));
}

TEST(HlsMedia, NoUrlBreaksThePlaylist) {
  HlsPlaylist playlist;
  playlist.segments = {segment("#EXT-X-ENDLIST", "0:0"), segment("a\nb\r\"c d#e", "2:0")};
  playlist.segments[0].init_url = "x\",BYTERANGE=\"1";
  playlist.segments[1].init_url = playlist.segments[0].init_url;
  const std::string text = rendered(playlist);
  EXPECT_NE(text.find("\n%23EXT-X-ENDLIST\n"), std::string::npos);
  EXPECT_NE(text.find("\na%0Ab%0D%22c%20d#e\n"), std::string::npos);
  EXPECT_NE(text.find("#EXT-X-MAP:URI=\"x%22,BYTERANGE=%221\"\n"), std::string::npos);
}

HlsStream video() {
  HlsStream stream;
  stream.url = "video.m3u8";
  stream.codecs = avc_codec(100, 0, 31);
  stream.peak_bits_per_second = 3'000'000;
  stream.average_bits_per_second = 2'479'000;
  stream.width = 1280;
  stream.height = 720;
  stream.frame_rate_numerator = 30'000;
  stream.frame_rate_denominator = 1001;
  return stream;
}

HlsStream audio(std::string url, std::string name) {
  HlsStream stream;
  stream.url = std::move(url);
  stream.name = std::move(name);
  stream.codecs = aac_codec(2);
  stream.peak_bits_per_second = 160'000;
  stream.average_bits_per_second = 128'000;
  stream.channels = 2;
  return stream;
}

TEST(HlsMaster, VideosWithAlternativeAudio) {
  HlsStream small = video();
  small.url = "small.m3u8";
  small.codecs = avc_codec(66, 224, 30);
  small.peak_bits_per_second = 800'000;
  small.average_bits_per_second = 0;
  small.width = 640;
  small.height = 360;
  small.frame_rate_numerator = 25;
  small.frame_rate_denominator = 1;
  HlsStream loud = audio("fr.m3u8", "Fran\u00e7ais");
  loud.peak_bits_per_second = 200'000;
  loud.channels = 6;
  EXPECT_EQ(hls_master_playlist({video(), small}, {audio("en.m3u8", "English"), loud}),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"English\",DEFAULT=YES,"
            "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"en.m3u8\"\n"
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Fran\u00e7ais\",DEFAULT=NO,"
            "AUTOSELECT=NO,CHANNELS=\"6\",URI=\"fr.m3u8\"\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=3200000,AVERAGE-BANDWIDTH=2607000,"
            "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970,"
            "AUDIO=\"audio\"\n"
            "video.m3u8\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS=\"avc1.42e01e,mp4a.40.2\","
            "RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO=\"audio\"\n"
            "small.m3u8\n");
}

TEST(HlsMaster, OneMultiplexedFlow) {
  HlsStream stream = video();
  stream.codecs += "," + aac_codec(2);
  EXPECT_EQ(hls_master_playlist({stream}, {}),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=2479000,"
            "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970\n"
            "video.m3u8\n");
}

TEST(HlsMaster, AudioAlone) {
  EXPECT_EQ(hls_master_playlist({}, {audio("en.m3u8", "English")}),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=160000,AVERAGE-BANDWIDTH=128000,CODECS=\"mp4a.40.2\"\n"
            "en.m3u8\n");
}

TEST(HlsMaster, WhatIsUnknownIsLeftOut) {
  HlsStream bare;
  bare.url = "v.m3u8";
  EXPECT_EQ(hls_master_playlist({bare}, {}),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=5000000\n"
            "v.m3u8\n");
  HlsStream mystery;
  mystery.url = "a.m3u8";
  EXPECT_EQ(hls_master_playlist({video()}, {mystery}),
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Audio\",DEFAULT=YES,"
            "AUTOSELECT=YES,URI=\"a.m3u8\"\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=3128000,RESOLUTION=1280x720,FRAME-RATE=29.970,"
            "AUDIO=\"audio\"\n"
            "video.m3u8\n");
}

TEST(HlsMaster, NamesAreUniqueAndStayInsideTheirQuotes) {
  const std::string text = hls_master_playlist(
      {video()}, {audio("1", "A\"B\n"), audio("2", "A'B "), audio("3", ""), audio("4", "")});
  EXPECT_NE(text.find("NAME=\"A'B \",DEFAULT=YES"), std::string::npos) << text;
  EXPECT_NE(text.find("NAME=\"A'B  2\",DEFAULT=NO"), std::string::npos) << text;
  EXPECT_NE(text.find("NAME=\"Audio\","), std::string::npos);
  EXPECT_NE(text.find("NAME=\"Audio 2\","), std::string::npos);
}

TEST(HlsCodecs, OnlyWhatIsKnown) {
  EXPECT_EQ(avc_codec(100, 0, 31), "avc1.64001f");
  EXPECT_EQ(avc_codec(66, 224, 30), "avc1.42e01e");
  EXPECT_EQ(avc_codec(256, 0, 31), "");
  EXPECT_EQ(avc_codec(100, -1, 31), "");
  EXPECT_EQ(aac_codec(2), "mp4a.40.2");
  EXPECT_EQ(aac_codec(0), "");
  EXPECT_EQ(aac_codec(96), "");
}

TEST(HlsExtension, IsTheEndOfTheQuery) {
  const auto with = [](std::string url, std::string_view container) {
    append_extension(url, container);
    return url;
  };
  EXPECT_EQ(with("/media/x", "video/mp2t"), "/media/x?as=.ts");
  EXPECT_EQ(with("/media/x?signature=y", "video/iso.segment"), "/media/x?signature=y&as=.mp4");
  EXPECT_EQ(with("/media/x", "audio/mp4"), "/media/x?as=.mp4");
  EXPECT_EQ(with("/media/x", "audio/aac"), "/media/x?as=.aac");
  EXPECT_EQ(with("/media/x", "application/mxf"), "/media/x");
}

}  // namespace
}  // namespace reel::tams
