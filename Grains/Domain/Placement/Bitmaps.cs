namespace Hosting.Domain.Placement;

/// <summary>What a bitmap of servers needs besides its words.</summary>
internal static class Bitmaps
{
    public static ulong[] Grown(ulong[] bitmap, int words)
    {
        Array.Resize(ref bitmap, words);
        return bitmap;
    }

    public static void Write(ulong[] bitmap, int server, bool member)
    {
        if (member) bitmap[server >> 6] |= 1UL << server;
        else bitmap[server >> 6] &= ~(1UL << server);
    }
}
